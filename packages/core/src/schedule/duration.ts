/** Runs that an estimate looks back on. */
const RECENT = 8;

/**
 * How long a plan's next run will take, as far as those before tell: the least of the last few, ms. Whoever sleeps for most of it loses little where
 * it is too short, and all that it is too long by.
 */
export class Duration {
  readonly #recent: number[] = [];

  /** 0 as long as nothing is known. */
  get estimate(): number {
    return this.#recent.length === 0 ? 0 : Math.min(...this.#recent);
  }

  /** A run whose end was seen. */
  add(ms: number): void {
    this.#recent.push(ms);
    if (this.#recent.length > RECENT) this.#recent.shift();
  }

  /** A run had ended before it was looked at: it took less than was slept, how much less is not known. */
  addOverslept(): void {
    this.add(0.8 * this.estimate);
  }
}
