/** Runs that an estimate looks back on. */
const RECENT = 8;

/**
 * How long a plan's next run will take, as far as those before tell: the least of the last few, ms. Whoever sleeps for most of it loses little where
 * it is too short, and all that it is too long by.
 */
export class Duration {
  #recent: number[] = [];
  /** Whether the estimate is a guess below one that was too long. */
  #isGuess = false;

  /** 0 as long as nothing is known. */
  get estimate(): number {
    return this.#recent.length === 0 ? 0 : Math.min(...this.#recent);
  }

  /** A run whose end was seen. */
  add(ms: number): void {
    const known = this.#isGuess ? [] : this.#recent;
    this.#isGuess = false;
    this.#recent = [...known, ms].slice(-RECENT);
  }

  /** A run had ended before it was looked at: it took less than was slept, how much less is not known until one is seen to end. */
  addOverslept(): void {
    this.#recent = [this.estimate / 2];
    this.#isGuess = true;
  }
}
