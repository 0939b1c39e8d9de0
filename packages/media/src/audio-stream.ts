import { codecs } from "#codecs";
import type { AudioSample, InputAudioTrack } from "mediabunny";
import { guardDecoder } from "./decoder-guard.ts";
import { MediaError } from "./media-error.ts";
import { type Gapless, readGapless } from "./mp3-gapless.ts";
import { type OpenedInput, damaged, openInput, withoutTrack } from "./open-input.ts";
import type { ByteReader, MediaSource } from "./source.ts";
import { wavDuration } from "./wav.ts";

/** Sound at its own rate, decoded while it is read: memory does not depend on its length. */
export interface AudioStream {
  /** Hz. */
  readonly sampleRate: number;
  readonly channels: number;
  /**
   * Decodes from the start: pieces of [channels][n] samples in [-1, 1]. May be called again.
   *
   * @throws MediaError `corrupt` when the file is damaged or shorter than it says, `empty` without a single sample
   */
  chunks(): AsyncGenerator<readonly Float32Array[], void, undefined>;
  close(): Promise<void>;
}

const formats = "a WAV, MP3, M4A, OGG, FLAC or WebM file";

/** Seconds that a file may lack against what its header says: containers round, encoders pad. */
const durationSlack = 0.2;

/**
 * Opens the sound of an audio or video file: WAV (8 to 32-bit integer, 32 and 64-bit float, A-law, µ-law), MP3, M4A/AAC,
 * OGG Vorbis and Opus, FLAC, and what MP4, MOV, WebM and MPEG-TS files carry. Encoder delay is removed.
 *
 * @throws MediaError `missing`, `empty`, `unsupported`, `corrupt`; `unavailable` when a needed codec package is absent
 */
export async function openAudio(source: MediaSource): Promise<AudioStream> {
  const opened = await openInput(source, "a recording", formats);
  try {
    return await streamOf(opened);
  } catch (error) {
    await opened.close();
    throw damaged(opened.reader.name, error);
  }
}

async function streamOf({ input, reader, close }: OpenedInput): Promise<AudioStream> {
  const name = reader.name;
  const track = await input.getPrimaryAudioTrack();
  if (track === null) throw await withoutTrack(input, name, `it has no sound; give ${formats}`);
  const codec = await track.getCodec();
  const isPcm = codec !== null && /^(pcm|ulaw|alaw)/.test(codec);
  if (!isPcm) await codecs.ready();
  if (!(await track.canDecode())) {
    throw new MediaError(
      "unsupported",
      name,
      `its sound (${codec ?? "unknown codec"}) cannot be decoded; convert to WAV`,
    );
  }
  const sampleRate = await track.getSampleRate();
  const channels = await track.getNumberOfChannels();
  if (!(sampleRate >= 1000 && sampleRate <= 768_000) || !(channels >= 1 && channels <= 64)) {
    const got = `${sampleRate} Hz, ${channels} channels`;
    throw new MediaError("corrupt", name, `its header makes no sense (${got}); save or copy it again`);
  }
  const gapless = codec === "mp3" ? await readGapless(reader) : undefined;
  const declared = gapless === undefined ? await declaredDuration(track, reader, codec) : gapless.length / sampleRate;
  // An Opus decoder drops the pre-skip by itself, whether or not the timestamps count it.
  const dropNegative = codec !== "opus";
  const limits = { name, sampleRate, channels, gapless, declared, dropNegative };
  return { sampleRate, channels, chunks: () => decode(track, limits), close };
}

/** Seconds by the header; 0 where it does not say. */
async function declaredDuration(track: InputAudioTrack, reader: ByteReader, codec: string | null): Promise<number> {
  // Without a Xing frame the length of an MP3 is a guess.
  if (codec === "mp3") return 0;
  const wav = await wavDuration(reader);
  if (wav > 0) return wav;
  const duration = await track.getDurationFromMetadata({ skipLiveWait: true });
  return duration !== null && Number.isFinite(duration) ? duration : 0;
}

interface DecodeLimits {
  readonly name: string;
  readonly sampleRate: number;
  readonly channels: number;
  readonly gapless: Gapless | undefined;
  readonly declared: number;
  readonly dropNegative: boolean;
}

async function* decode(track: InputAudioTrack, limits: DecodeLimits): AsyncGenerator<readonly Float32Array[], void> {
  const { name, sampleRate, channels, gapless, declared, dropNegative } = limits;
  const { AudioSampleSink } = await import("mediabunny");
  const sink = new AudioSampleSink(track);
  guardDecoder(sink);
  let skip = gapless?.skip ?? 0;
  let left = gapless?.length ?? Infinity;
  let count = 0;
  try {
    for await (const sample of sink.samples()) {
      const planes = planesOf(sample, channels);
      const before = dropNegative && sample.timestamp < 0 ? Math.round(-sample.timestamp * sampleRate) : 0;
      sample.close();
      const length = planes[0]?.length ?? 0;
      const from = Math.min(length, Math.max(before, skip));
      skip = Math.max(0, skip - length);
      const to = Math.min(length, from + left);
      if (to <= from) continue;
      left -= to - from;
      count += to - from;
      yield planes.map((plane) => plane.subarray(from, to));
    }
  } catch (error) {
    throw damaged(name, error);
  }
  if (count === 0 && declared === 0)
    throw new MediaError("empty", name, "it has no sound (0 samples); record it again");
  if (count / sampleRate >= declared - durationSlack - 0.01 * declared) return;
  const got = `${(count / sampleRate).toFixed(2)} s of ${declared.toFixed(2)} s`;
  throw new MediaError("corrupt", name, `the file is damaged or cut short (${got}); save or copy it again`);
}

/** The samples of each channel; what is no number becomes silence. */
function planesOf(sample: AudioSample, channels: number): Float32Array[] {
  const planes: Float32Array[] = [];
  for (let planeIndex = 0; planeIndex < channels; planeIndex++) {
    const plane = new Float32Array(sample.numberOfFrames);
    if (planeIndex < sample.numberOfChannels) sample.copyTo(plane, { planeIndex, format: "f32-planar" });
    for (let i = 0; i < plane.length; i++) if (!Number.isFinite(plane[i])) plane[i] = 0;
    planes.push(plane);
  }
  return planes;
}
