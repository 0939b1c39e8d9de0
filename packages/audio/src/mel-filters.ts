import { tensor } from "@omni/core";
import type { Tensor } from "@omni/core";

/** Where mel filters lie. */
export interface MelFilterOptions {
  readonly sampleRate: number;
  /** Length of the transform that the filters weigh: they have ⌊size / 2⌋ + 1 frequencies. */
  readonly size: number;
  readonly mels: number;
  /** Lowest and highest frequency, Hz. */
  readonly low: number;
  readonly high: number;
}

// Slaney's scale: straight up to 1 kHz, 27 steps from there to 6.4 kHz
const STRAIGHT_HZ_PER_MEL = 200 / 3;
const BREAK_HZ = 1000;
const BREAK_MEL = BREAK_HZ / STRAIGHT_HZ_PER_MEL;
const LOG_STEP = Math.log(6.4) / 27;

const slaneyMel = (hz: number): number =>
  hz < BREAK_HZ ? hz / STRAIGHT_HZ_PER_MEL : BREAK_MEL + Math.log(hz / BREAK_HZ) / LOG_STEP;
const slaneyHz = (mel: number): number =>
  mel < BREAK_MEL ? mel * STRAIGHT_HZ_PER_MEL : BREAK_HZ * Math.exp((mel - BREAK_MEL) * LOG_STEP);
const htkMel = (hz: number): number => 2595 * Math.log10(1 + hz / 700);
const htkHz = (mel: number): number => 700 * (10 ** (mel / 2595) - 1);

/** `count` numbers evenly from a to b. */
const spread = (a: number, b: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => a + ((b - a) * i) / (count - 1));

/**
 * Triangles between neighbours of evenly spaced points of Slaney's mel scale, each of the same area.
 *
 * @returns [mels, ⌊size / 2⌋ + 1]
 * @see Slaney 1998, "Auditory Toolbox"; librosa.filters.mel
 */
export function melFilters({ sampleRate, size, mels, low, high }: MelFilterOptions): Tensor {
  const bins = Math.floor(size / 2) + 1;
  const points = spread(slaneyMel(low), slaneyMel(high), mels + 2).map(slaneyHz);
  const weights = new Float32Array(mels * bins);
  for (let m = 0; m < mels; m++) {
    const [left = 0, middle = 0, right = 0] = points.slice(m, m + 3);
    for (let bin = 0; bin < bins; bin++) {
      const hz = (bin * sampleRate) / size;
      const height = Math.max(0, Math.min((hz - left) / (middle - left), (right - hz) / (right - middle)));
      weights[m * bins + bin] = (2 * height) / (right - left);
    }
  }
  return tensor(weights, { shape: [mels, bins] });
}

/**
 * Triangles of height 1 between whole frequencies of the transform, evenly spaced on the HTK mel scale before rounding.
 *
 * @returns [mels, ⌊size / 2⌋ + 1]
 * @see Young et al., "The HTK Book"; python_speech_features.get_filterbanks
 */
export function roundedMelFilters({ sampleRate, size, mels, low, high }: MelFilterOptions): Tensor {
  const bins = Math.floor(size / 2) + 1;
  const points = spread(htkMel(low), htkMel(high), mels + 2).map((mel) =>
    Math.floor(((size + 1) * htkHz(mel)) / sampleRate),
  );
  const weights = new Float32Array(mels * bins);
  for (let m = 0; m < mels; m++) {
    const [left = 0, middle = 0, right = 0] = points.slice(m, m + 3);
    for (let bin = left; bin < middle; bin++) weights[m * bins + bin] = (bin - left) / (middle - left);
    for (let bin = middle; bin < right; bin++) weights[m * bins + bin] = (right - bin) / (right - middle);
  }
  return tensor(weights, { shape: [mels, bins] });
}
