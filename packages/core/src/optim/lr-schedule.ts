import { OmniError } from "../base/errors.ts";

/** A learning rate by step, counted from 0. With a peak of 1 it is a factor: an optimiser's `lrScale`. */
export type LrSchedule = (step: number) => number;

/** A schedule that may rise in a straight line first. */
export interface Warmed {
  /** The highest learning rate. */
  readonly peak: number;
  /** Steps from 0 to the peak; step n of them has peak · n / warmup, so that the first has none. */
  readonly warmup?: number;
}
/** A schedule with an end. */
export interface Ending extends Warmed {
  /** Step at which the schedule ends, its warm-up included. */
  readonly total: number;
}

/** A straight line up, then a factor by the steps after the warm-up and the share of the rest that they are. */
const warmed =
  ({ peak, warmup = 0 }: Warmed, after: (steps: number) => number): LrSchedule =>
  (step) =>
    peak * (step < warmup ? step / Math.max(1, warmup) : after(step - warmup));

/** Share of the steps after the warm-up that are done. */
const progress = (steps: number, { total, warmup = 0 }: Ending): number => steps / Math.max(1, total - warmup);

/** Always the peak. @see diffusers, `constant` */
export const constant = ({ peak }: { readonly peak: number }): LrSchedule => warmed({ peak }, () => 1);

/** The peak after a warm-up. @see diffusers and transformers, `constant_with_warmup` */
export const constantWithWarmup = (options: Warmed): LrSchedule => warmed(options, () => 1);

/** Down to 0 in a straight line. @see diffusers and transformers, `linear` */
export const linear = (options: Ending): LrSchedule =>
  warmed(options, (steps) => Math.max(0, 1 - progress(steps, options)));

/**
 * peak · (1 + cos 2πcx) / 2 with x the share done; c = 1/2 cycles, the default, is half a wave down to 0. It goes on after `total`.
 *
 * @see diffusers and transformers, `cosine`
 */
export const cosine = ({ cycles = 0.5, ...options }: Ending & { readonly cycles?: number }): LrSchedule =>
  warmed(options, (steps) => Math.max(0, (1 + Math.cos(2 * Math.PI * cycles * progress(steps, options))) / 2));

/** `cycles` falls of a half cosine from the peak to 0, then 0. @see diffusers and transformers, `cosine_with_restarts` */
export const cosineWithRestarts = ({ cycles = 1, ...options }: Ending & { readonly cycles?: number }): LrSchedule =>
  warmed(options, (steps) => {
    const done = progress(steps, options);
    return done >= 1 ? 0 : Math.max(0, (1 + Math.cos(Math.PI * ((cycles * done) % 1))) / 2);
  });

/**
 * (peak − final) · (1 − x)^power + final with x the share done, then `final`.
 *
 * @param options.final a learning rate below the peak, 1e-7 by default
 * @throws OmniError when it is not below the peak
 * @see diffusers and transformers, `polynomial`
 */
export function polynomial(options: Ending & { readonly power?: number; readonly final?: number }): LrSchedule {
  const { peak, total, warmup = 0, power = 1, final = 1e-7 } = options;
  if (!(final < peak)) throw new OmniError(`polynomial: final must lie below the peak, got ${final} and ${peak}`);
  return warmed(options, (steps) => {
    if (steps > total - warmup) return final / peak;
    const left = 1 - steps / (total - warmup);
    return ((peak - final) * left ** power + final) / peak;
  });
}

/**
 * One factor after another: `[[steps, factor], …]` in rising order of steps, then `last`.
 *
 * @see diffusers, `piecewise_constant`
 */
export const piecewiseConstant = (options: {
  readonly peak: number;
  readonly pieces: readonly (readonly [until: number, factor: number])[];
  readonly last: number;
}): LrSchedule => {
  const { peak, pieces, last } = options;
  return (step) => peak * (pieces.find(([until]) => step < until)?.[1] ?? last);
};

/** Linear from 0 over `warmup` steps, constant until `hold` of the run, then linear to `final` times the peak at `total`. */
export function warmupHoldDecay(options: {
  readonly peak: number;
  readonly total: number;
  readonly warmup?: number;
  readonly hold?: number;
  readonly final?: number;
}): LrSchedule {
  const { peak, total, warmup = 0, hold = 0.6, final = 0.03 } = options;
  const knee = hold * total;
  return (step) => {
    if (step < warmup) return (peak * (step + 1)) / warmup;
    if (step < knee) return peak;
    const done = Math.min(1, (step - knee) / Math.max(1, total - knee));
    return peak * (1 - done * (1 - final));
  };
}
