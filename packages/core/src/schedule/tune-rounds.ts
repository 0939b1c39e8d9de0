/** Rounds at least, and at most. */
const ROUNDS = [5, 15] as const;
/** What is never less than this much slower than the first is not timed again, after one round and after more. */
const HOPELESS = [2, 1.3] as const;
/** A gain must be as large in three rounds of four: less is chance on a busy machine. */
const WORTH = 0.95;

/** The fastest of several, and its time over the first's. */
export interface Fastest {
  readonly index: number;
  /** Median over rounds of its time by the first's in the same round; 1 where the first is kept. */
  readonly ratio: number;
}

/**
 * Times candidates in turns, so that what else the machine does meets all alike, and compares each with the first inside a round.
 *
 * @param time runs a candidate once and tells its milliseconds; Infinity rules it out
 * @param budget milliseconds of runs; five rounds are run even where they take longer
 */
export async function fastest(
  count: number,
  time: (index: number) => Promise<number>,
  budget: number,
): Promise<Fastest> {
  const ratios = Array.from({ length: count }, (): number[] => []);
  let left = Array.from({ length: count }, (_, index) => index);
  let spent = 0;
  for (let round = 0; round < ROUNDS[1] && left.length > 1 && (round < ROUNDS[0] || spent < budget); round++) {
    const times = new Map<number, number>();
    // back and forth: who comes first gains nothing by it
    for (const index of round % 2 === 0 ? left : [...left].reverse()) {
      const milliseconds = await time(index);
      times.set(index, milliseconds);
      if (Number.isFinite(milliseconds)) spent += milliseconds;
    }
    const first = times.get(0) ?? Infinity;
    for (const [index, milliseconds] of times)
      ratios[index]?.push(Number.isFinite(milliseconds) ? milliseconds / first : Infinity);
    const limit = HOPELESS[round === 0 ? 0 : 1];
    left = left.filter((index) => index === 0 || Math.min(...(ratios[index] ?? [])) <= limit);
  }
  const score = (index: number): number => ranked(ratios[index] ?? [], 0.5);
  const best = left.reduce((a, b) => (score(b) < score(a) ? b : a), 0);
  return ranked(ratios[best] ?? [], 0.75) < WORTH ? { index: best, ratio: score(best) } : { index: 0, ratio: 1 };
}

/** The value behind as large a part of all, the larger of two between which it falls. */
function ranked(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil((sorted.length - 1) * part)] ?? Infinity;
}
