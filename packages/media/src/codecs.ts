/** What a platform must provide before compressed sound or video is coded. */
export interface Codecs {
  /**
   * Makes encoders and decoders known to mediabunny. Idempotent.
   *
   * @throws MediaError `unavailable` when an optional package is not installed
   */
  ready(): Promise<void>;
  /** Audio codecs to try for an MP4 file, best first. */
  readonly mp4AudioCodecs: readonly ("aac" | "opus")[];
}
