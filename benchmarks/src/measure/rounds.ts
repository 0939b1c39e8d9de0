/** Something to be timed, round after round. */
export interface Timed {
  /** Untimed. */
  readonly before?: () => Promise<void>;
  readonly start: () => Promise<void> | void;
  readonly finish: () => Promise<void>;
}

export interface RoundOptions {
  readonly rounds: number;
  /** Milliseconds after which no further round begins, once there are three. */
  readonly budget: number;
  /** Called before each measurement. */
  readonly onTurn?: (index: number, round: number) => void;
}

/** Fewer rounds have no median to speak of. */
const FEWEST_ROUNDS = 3;
/** Waits shorter than this are not worth a timer, ms. */
const SHORT_WAIT = 8;

/** The order of one round: every second one runs backwards, so that neither the first nor the last place favours anyone. */
export function orderOf(count: number, round: number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  return round % 2 === 0 ? order : order.toReversed();
}

/**
 * Times one run. While a promise of Dawn's Node binding is open it polls in a busy loop, which on a software adapter takes a core from the
 * work that is waited for. So whoever is timed, most of the shortest time seen so far is slept first.
 *
 * @param expected shortest time so far, ms; 0 if unknown
 */
export async function timeOnce({ before, start, finish }: Timed, expected: number): Promise<number> {
  await before?.();
  const began = performance.now();
  await start();
  const rest = 0.7 * expected - (performance.now() - began);
  if (rest > SHORT_WAIT) await new Promise((resolve) => setTimeout(resolve, rest));
  await finish();
  return performance.now() - began;
}

/**
 * Interleaved rounds of several contenders.
 *
 * @returns milliseconds by contender and round
 */
export async function timeRounds(
  contenders: readonly Timed[],
  { rounds, budget, onTurn }: RoundOptions,
): Promise<number[][]> {
  const times: number[][] = contenders.map(() => []);
  const began = performance.now();
  for (let round = 0; round < rounds; round++) {
    if (round >= FEWEST_ROUNDS && performance.now() - began > budget) break;
    for (const index of orderOf(contenders.length, round)) {
      const contender = contenders[index];
      const own = times[index];
      if (!contender || !own) continue;
      onTurn?.(index, round);
      own.push(await timeOnce(contender, own.length > 0 ? Math.min(...own) : 0));
    }
  }
  return times;
}
