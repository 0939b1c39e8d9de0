import { OmniError } from "../base/errors.ts";

/** Decay of an average by the number of its update, counted from 1. */
export type EmaDecay = (update: number) => number;

/** The same decay always. */
export const fixedDecay =
  (decay: number): EmaDecay =>
  () =>
    decay;

/** min(decay, (1 + n) / (10 + n)): early updates forget the start. */
export const warmingDecay =
  (decay: number): EmaDecay =>
  (n) =>
    Math.min(decay, (1 + n) / (10 + n));

/** The arguments of diffusers' EMAModel. */
export interface DiffusersEmaOptions {
  /** The most that the decay becomes. */
  readonly decay?: number;
  /** The least that the decay becomes after the first copies; 0 by default. */
  readonly minDecay?: number;
  /** Updates that copy the parameters before averaging begins. */
  readonly updateAfterStep?: number;
  /** 1 − (1 + s / invGamma)^−power in place of (1 + s) / (10 + s). */
  readonly useEmaWarmup?: boolean;
  /** Scale of the updates: a larger one warms up more slowly; 1 by default. */
  readonly invGamma?: number;
  /** How fast the warm-up goes; 2/3 by default. */
  readonly power?: number;
}

/**
 * The decay of diffusers' EMAModel. With s = update − updateAfterStep − 1: 0 up to s = 0 (a copy), then the warm-up between `minDecay` and
 * `decay`.
 *
 * @throws OmniError when invGamma is not positive
 * @see diffusers, training_utils.EMAModel.get_decay; for power 2/3 long runs, for 3/4 shorter ones are meant
 */
export function diffusersDecay(options: DiffusersEmaOptions = {}): EmaDecay {
  const { decay = 0.9999, minDecay = 0, updateAfterStep = 0, useEmaWarmup = false } = options;
  const { invGamma = 1, power = 2 / 3 } = options;
  if (!(invGamma > 0)) throw new OmniError(`diffusersDecay: invGamma must be positive, got ${invGamma}`);
  return (update) => {
    const s = Math.max(0, update - updateAfterStep - 1);
    if (s === 0) return 0;
    const warm = useEmaWarmup ? 1 - (1 + s / invGamma) ** -power : (1 + s) / (10 + s);
    return Math.max(minDecay, Math.min(decay, warm));
  };
}
