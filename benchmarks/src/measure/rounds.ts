/** Something to be timed, round after round. */
export interface Timed {
  /** Untimed. */
  readonly before?: () => Promise<void>;
  readonly start: () => Promise<void> | void;
  readonly finish: () => Promise<void>;
  /** Runs between two waits for the device; 1 by default. */
  readonly repeats?: number;
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
/** What ends this soon after a sleep had ended before, ms. */
const AT_ONCE = 1;

/** The order of one round: every second one runs backwards, so that neither the first nor the last place favours anyone. */
export function orderOf(count: number, round: number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  return round % 2 === 0 ? order : order.toReversed();
}

/**
 * Times runs, back to back, until the device has done them. While a promise of Dawn's Node binding is open it polls in a busy loop, which on
 * a software adapter takes a core from the work that is waited for. So whoever is timed, most of the shortest time seen so far is slept first; where the
 * work had ended before the sleep, it is run again with half of that.
 *
 * @param expected shortest time of a run so far, ms; 0 if unknown
 * @returns milliseconds a run
 */
export async function timeOnce(timed: Timed, expected: number): Promise<number> {
  const { before, start, finish, repeats = 1 } = timed;
  await before?.();
  const began = performance.now();
  for (let i = 0; i < repeats; i++) await start();
  const rest = 0.7 * expected * repeats - (performance.now() - began);
  const sleeps = rest > SHORT_WAIT;
  if (sleeps) await new Promise((resolve) => setTimeout(resolve, rest));
  const woke = sleeps ? performance.now() : -Infinity;
  await finish();
  const ended = performance.now();
  if (ended - woke < AT_ONCE) return timeOnce(timed, expected / 2);
  return (ended - began) / repeats;
}

/** A measurement shorter than this, ms, says more of the wait than of the work. */
const SHORTEST = 10;
const MOST_REPEATS = 100;

/** Runs that make a measurement long enough, for work of which one takes so many milliseconds. */
export const repeatsFor = (ms: number): number => Math.max(1, Math.min(MOST_REPEATS, Math.ceil(SHORTEST / ms)));

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
