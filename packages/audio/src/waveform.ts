import type { AudioConfig } from "./config.ts";
import { SAMPLE_RATE } from "./config.ts";

/**
 * Zero mean and unit variance: (x − mean) / √(variance + floor).
 *
 * @param floor variance below which the signal counts as silence; upstream uses 1e-7
 */
export function normalizeWaveform(samples: Float32Array, floor = 1e-7): Float32Array<ArrayBuffer> {
  let sum = 0;
  for (const x of samples) sum += x;
  const mean = samples.length > 0 ? sum / samples.length : 0;
  let squares = 0;
  for (const x of samples) squares += (x - mean) ** 2;
  const variance = samples.length > 0 ? squares / samples.length : 0;
  const gain = 1 / Math.sqrt(variance + floor);
  return Float32Array.from(samples, (x) => (x - mean) * gain);
}

/** Samples from one 50 Hz step to the next: the product of the strides. */
export const hopSamples = ({ convStride }: AudioConfig): number => convStride.reduce((product, s) => product * s, 1);

/** Samples that one 50 Hz step sees: the receptive field of the convolutions (400 = 25 ms upstream). */
export function fieldSamples({ convKernel, convStride }: AudioConfig): number {
  let field = 1;
  let hop = 1;
  convKernel.forEach((kernel, i) => {
    field += (kernel - 1) * hop;
    hop *= convStride[i] ?? 1;
  });
  return field;
}

/** Steps that the encoder makes of `samples`; 0 where they are fewer than its receptive field. */
export function stepCount(config: AudioConfig, samples: number): number {
  return config.convKernel.reduce(
    (length, kernel, i) => Math.max(0, Math.floor((length - kernel) / (config.convStride[i] ?? 1)) + 1),
    samples,
  );
}

/** Time of the middle of what step `index` sees, seconds. */
export function stepTime(config: AudioConfig, index: number): number {
  return (index * hopSamples(config) + (fieldSamples(config) - 1) / 2) / SAMPLE_RATE;
}
