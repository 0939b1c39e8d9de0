import { codecs } from "#codecs";
import type { AudioSampleSource } from "mediabunny";
import type { AudioStream } from "./audio-stream.ts";
import type { AudioTrack } from "./read-audio.ts";
import { mixToMono } from "./read-audio.ts";
import { Resampler } from "./resample.ts";

/** The one rate we encode at, Hz: Opus knows no 44.1 kHz, and AAC's priming is shortest at it. */
export const encodedSampleRate = 48_000;

/** Sound for a video: whole in memory, or decoded while it is written. */
export type AudioInput = AudioTrack | AudioStream;

/** Feeds sound to an encoder as far as the video has come. */
export interface AudioFeed {
  /** Encodes up to a time of the video, seconds, or to the end of the sound if that comes first. */
  feedUntil(seconds: number): Promise<void>;
  /** Stops reading. */
  end(): Promise<void>;
}

/** How many channels are written: files of more than two are mixed to one. */
export function encodedChannels(audio: AudioInput): 1 | 2 {
  return channelCount(audio) === 2 ? 2 : 1;
}

/**
 * Resamples to {@link encodedSampleRate} and hands pieces to `source`.
 *
 * @param shift samples by which all timestamps are moved, to cancel an encoder's unsignalled delay
 */
export function createAudioFeed(audio: AudioInput, source: AudioSampleSource, shift: number): AudioFeed {
  const numberOfChannels = encodedChannels(audio);
  const pieces = resampled(audio, numberOfChannels);
  let pending: readonly Float32Array[] = [];
  let pendingFrom = 0;
  let ended = false;
  let sent = 0;

  return {
    async feedUntil(seconds) {
      const end = Math.round(seconds * encodedSampleRate);
      while (sent < end) {
        const available = (pending[0]?.length ?? 0) - pendingFrom;
        if (available === 0) {
          if (ended) return;
          const next = await pieces.next();
          if (next.done) {
            ended = true;
            return;
          }
          pending = next.value;
          pendingFrom = 0;
          continue;
        }
        const count = Math.min(available, end - sent);
        const data = new Float32Array(count * numberOfChannels);
        for (const [channel, plane] of pending.entries()) {
          data.set(plane.subarray(pendingFrom, pendingFrom + count), channel * count);
        }
        const timestamp = (sent + shift) / encodedSampleRate;
        const sample = await codecs.audioSample({
          data,
          format: "f32-planar",
          numberOfChannels,
          sampleRate: encodedSampleRate,
          timestamp,
        });
        pendingFrom += count;
        sent += count;
        try {
          await source.add(sample);
        } finally {
          sample.close();
        }
      }
    },
    async end() {
      ended = true;
      await pieces.return();
    },
  };
}

async function* resampled(
  audio: AudioInput,
  channels: 1 | 2,
): AsyncGenerator<readonly Float32Array[], void, undefined> {
  const resamplers = Array.from({ length: channels }, () => new Resampler(audio.sampleRate, encodedSampleRate));
  for await (const planes of "chunks" in audio ? audio.chunks() : wholeTrack(audio)) {
    const mixed = channels === 2 ? planes : [mixToMono(planes)];
    yield resamplers.map((resampler, channel) => resampler.push(mixed[channel] ?? new Float32Array()));
  }
  yield resamplers.map((resampler) => resampler.flush());
}

/** Samples of a whole track that are resampled at once. */
const pieceLength = 1 << 16;

function* wholeTrack({ channels }: AudioTrack): Generator<readonly Float32Array[], void, undefined> {
  const length = channels[0]?.length ?? 0;
  for (let from = 0; from < length; from += pieceLength) {
    yield channels.map((channel) => channel.subarray(from, from + pieceLength));
  }
}

function channelCount({ channels }: AudioInput): number {
  return typeof channels === "number" ? channels : channels.length;
}
