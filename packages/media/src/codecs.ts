import type { AudioSample, AudioSampleInit } from "mediabunny";

/** What a platform must provide before compressed sound or video is coded. */
export interface Codecs {
  /**
   * Makes encoders and decoders known to mediabunny. Idempotent.
   *
   * @throws MediaError `unavailable` when an optional package is not installed
   */
  ready(): Promise<void>;
  /** A piece of sound for an encoder. Call {@link ready} first; the caller closes it. */
  audioSample(init: AudioSampleInit): Promise<AudioSample>;
  /** Audio codecs to try for an MP4 file, best first. */
  readonly mp4AudioCodecs: readonly ("aac" | "opus")[];
}
