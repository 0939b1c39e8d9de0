import { type AudioStream, openAudio } from "./audio-stream.ts";
import { Resampler, joinSamples } from "./resample.ts";
import type { MediaSource } from "./source.ts";

/** Sound for a model: one channel at a fixed rate. */
export interface MonoAudio {
  /** The mean of the channels, in [-1, 1]. */
  readonly samples: Float32Array;
  /** Hz, of `samples`. */
  readonly sampleRate: number;
  /** Seconds. */
  readonly duration: number;
  /** Hz, of the file. */
  readonly originalSampleRate: number;
  /** Number of channels in the file. */
  readonly channels: number;
}

/** Sound as it is in the file. */
export interface AudioTrack {
  /** [channels][n] samples in [-1, 1]. */
  readonly channels: readonly Float32Array[];
  /** Hz. */
  readonly sampleRate: number;
}

/**
 * Reads sound as one channel at 16 kHz (or another rate). Decoded, mixed and resampled piece by piece: an hour takes
 * 230 MB, whatever the file's own rate. For formats and errors see `openAudio`.
 *
 * @param source path (in a browser URL), Blob or bytes
 * @param options `sampleRate` of the result in Hz, whole; default 16,000
 */
export async function readAudio(
  source: MediaSource,
  options: { readonly sampleRate?: number } = {},
): Promise<MonoAudio> {
  const { sampleRate = 16_000 } = options;
  return withAudio(source, async (stream) => {
    const resampler = new Resampler(stream.sampleRate, sampleRate);
    const pieces: Float32Array[] = [];
    let count = 0;
    for await (const planes of stream.chunks()) {
      count += planes[0]?.length ?? 0;
      pieces.push(resampler.push(mixToMono(planes)));
    }
    pieces.push(resampler.flush());
    return {
      samples: joinSamples(pieces),
      sampleRate,
      duration: count / stream.sampleRate,
      originalSampleRate: stream.sampleRate,
      channels: stream.channels,
    };
  });
}

/**
 * Reads all channels of a sound at its own rate, into memory: for long sound give `openAudio` to the video writer.
 * For formats and errors see `openAudio`.
 */
export async function readAudioOriginal(source: MediaSource): Promise<AudioTrack> {
  return withAudio(source, async (stream) => {
    const pieces: (readonly Float32Array[])[] = [];
    for await (const planes of stream.chunks()) pieces.push(planes);
    const channels = Array.from({ length: stream.channels }, (_, channel) =>
      joinSamples(pieces.map((planes) => planes[channel] ?? new Float32Array())),
    );
    return { channels, sampleRate: stream.sampleRate };
  });
}

async function withAudio<T>(source: MediaSource, use: (stream: AudioStream) => Promise<T>): Promise<T> {
  const stream = await openAudio(source);
  try {
    return await use(stream);
  } finally {
    await stream.close();
  }
}

/** The mean of the channels. */
export function mixToMono(planes: readonly Float32Array[]): Float32Array {
  const [first = new Float32Array()] = planes;
  if (planes.length < 2) return first;
  const mono = new Float32Array(first.length);
  for (const plane of planes) for (let i = 0; i < mono.length; i++) mono[i] = (mono[i] ?? 0) + (plane[i] ?? 0);
  for (let i = 0; i < mono.length; i++) mono[i] = (mono[i] ?? 0) / planes.length;
  return mono;
}
