import type { Tensor } from "@omni/core";
import { melFilters } from "./mel-filters.ts";
import type { MelFilterOptions } from "./mel-filters.ts";
import { magnitude, preEmphasized, spectrum } from "./spectrum.ts";
import type { SpectrumOptions } from "./spectrum.ts";

/** How loudness in decibels becomes a number of a network's size. */
export interface LevelRange {
  /** Level that counts as silence, and the one that is taken off all others, dB. */
  readonly minDb: number;
  readonly referenceDb: number;
  /** Numbers go from -max to max, or from 0. */
  readonly max: number;
  readonly symmetric: boolean;
  /** Cut what lies beyond the range. */
  readonly clip: boolean;
}

/** Options of {@link melSpectrogram}. */
export interface MelOptions extends SpectrumOptions, MelFilterOptions, LevelRange {
  readonly preEmphasis: number;
}

/** What Wav2Lip and the SyncNets around it listen to: 80 mel bands at 80 Hz from 16 kHz sound. */
export const WAV2LIP_MEL = {
  size: 800,
  hop: 200,
  sampleRate: 16_000,
  mels: 80,
  low: 55,
  high: 7600,
  preEmphasis: 0.97,
  minDb: -100,
  referenceDb: 20,
  max: 4,
  symmetric: true,
  clip: true,
  // librosa before 0.10, which Wav2Lip pins
  ends: "reflect",
} as const satisfies MelOptions;

/** 20 log₁₀ of an amplitude, in the range of the options. */
function level(amplitude: Tensor, { minDb, referenceDb, max, symmetric, clip }: LevelRange): Tensor {
  const decibels = amplitude
    .maximum(10 ** (minDb / 20))
    .log()
    .mul(20 / Math.LN10)
    .sub(referenceDb);
  const share = decibels.sub(minDb).mul(1 / -minDb);
  const scaled = symmetric ? share.mul(2 * max).sub(max) : share.mul(max);
  return clip ? scaled.clamp(symmetric ? -max : 0, max) : scaled;
}

/** A sound's loudness by frequency and time. */
export interface Spectrograms {
  /** By mel band, [..., mels, frames]. */
  readonly mel: Tensor;
  /** By frequency, [..., ⌊size / 2⌋ + 1, frames]. */
  readonly linear: Tensor;
}

/**
 * Loudness of pre-emphasised sound in decibels, scaled to a network's range.
 *
 * @param wave [..., samples] in [-1, 1]
 * @see Prajwal et al. 2020, "A Lip Sync Expert Is All You Need"; Wav2Lip, audio.py
 */
export function melSpectrogram(wave: Tensor, options: MelOptions = WAV2LIP_MEL): Spectrograms {
  const amplitude = magnitude(spectrum(preEmphasized(wave, options.preEmphasis), options));
  return {
    mel: level(melFilters(options).matmul(amplitude), options),
    linear: level(amplitude, options),
  };
}
