import { mulberry32 } from "../ops/random.ts";

/** A value below which a share of the list lies, between neighbours in a straight line; NaN for an empty list. */
export function quantile(list: readonly number[], share: number): number {
  const sorted = list.toSorted((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const [low = NaN, high = low] = sorted.slice(Math.floor(place), Math.floor(place) + 2);
  return low + (high - low) * (place - Math.floor(place));
}

export const median = (list: readonly number[]): number => quantile(list, 0.5);

/** A ratio of medians with the middle 95 % of what resampled rounds give. */
export interface Ratio {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 1000;

/**
 * How many times longer `slow` takes than `fast`. Rounds are drawn in pairs: both were measured within a moment of each other, so that
 * what slows the machine down cancels.
 *
 * @param slow milliseconds by round
 * @param fast the same rounds
 * @see Efron 1979, the bootstrap
 */
export function ratioOfMedians(slow: readonly number[], fast: readonly number[]): Ratio {
  const rounds = Math.min(slow.length, fast.length);
  const random = mulberry32(rounds);
  const ratios = Array.from({ length: RESAMPLES }, () => {
    const drawn = Array.from({ length: rounds }, () => Math.floor(random() * rounds));
    return median(drawn.map((i) => slow[i] ?? NaN)) / median(drawn.map((i) => fast[i] ?? NaN));
  });
  return {
    value: median(slow.slice(0, rounds)) / median(fast.slice(0, rounds)),
    low: quantile(ratios, 0.025),
    high: quantile(ratios, 0.975),
  };
}
