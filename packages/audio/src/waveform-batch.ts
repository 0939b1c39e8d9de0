import { tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import type { AudioConfig } from "./config.ts";
import { normalizeWaveform, stepCount } from "./waveform.ts";

/** Sounds of several lengths as one batch. */
export interface WaveformBatch {
  /** [B, samples of the longest] */
  readonly waveform: Tensor;
  /** [B, samples of the longest], i32: 1 = sound, 0 = padding. */
  readonly mask: Tensor;
  /** Samples of each sound. */
  readonly lengths: readonly number[];
}

/** How {@link batchWaveforms} treats sounds. */
export interface BatchOptions {
  /** Zero mean and unit variance for each sound. Default true. */
  readonly normalize?: boolean;
  /** Padding counts as sound, in the statistics too: what upstream does for its base encoders, which take no mask. Default false. */
  readonly countPadding?: boolean;
  readonly paddingValue?: number;
  readonly varianceFloor?: number;
}

/**
 * Pads sounds to one length and normalises each.
 *
 * @param sounds mono, 16 kHz
 * @see transformers, Wav2Vec2FeatureExtractor
 */
export function batchWaveforms(
  sounds: readonly Float32Array[],
  { normalize = true, countPadding = false, paddingValue = 0, varianceFloor = 1e-7 }: BatchOptions = {},
): WaveformBatch {
  const lengths = sounds.map((sound) => sound.length);
  const longest = Math.max(0, ...lengths);
  const shape = [sounds.length, longest];
  const waveform = new Float32Array(sounds.length * longest).fill(paddingValue);
  const mask = new Int32Array(sounds.length * longest);
  for (const [i, sound] of sounds.entries()) {
    const row = waveform.subarray(i * longest, (i + 1) * longest);
    row.set(sound);
    const counted = countPadding ? row : row.subarray(0, sound.length);
    if (normalize) counted.set(normalizeWaveform(counted, varianceFloor));
    mask.fill(1, i * longest, i * longest + sound.length);
  }
  return { waveform: tensor(waveform, { shape }), mask: tensor(mask, { shape }), lengths };
}

/**
 * Which steps of a padded batch are sound, [B, steps] of 1 and 0: as many as the sound alone would make.
 *
 * @param lengths samples of each sound
 * @param samples of the padded batch
 */
export function stepMask(config: AudioConfig, lengths: readonly number[], samples: number): Tensor {
  const steps = stepCount(config, samples);
  const values = new Float32Array(lengths.length * steps);
  for (const [i, length] of lengths.entries()) values.fill(1, i * steps, i * steps + stepCount(config, length));
  return tensor(values, { shape: [lengths.length, steps] });
}
