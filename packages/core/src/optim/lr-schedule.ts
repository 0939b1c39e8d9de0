/** A learning rate by step, counted from 0. */
export type LrSchedule = (step: number) => number;

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
