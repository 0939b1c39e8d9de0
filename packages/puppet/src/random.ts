/**
 * Seeded random numbers, forked by name, so that adding a draw in one place never shifts the draws of another.
 *
 * State: one 32-bit word stepped by the Weyl constant and mixed by the murmur3 finaliser ("splitmix32").
 */
export class Random {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed >>> 0;
    this.#state = mix(this.seed ^ 0x9e3779b9);
  }

  /** A generator that depends on this one's seed and the label only, not on how many numbers were drawn. */
  fork(label: string | number): Random {
    return new Random(hash(this.seed, label));
  }

  /** Uniform in [0, 1). */
  unit(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    return mix(this.#state) / 4294967296;
  }

  /** Uniform in [low, high). */
  range(low: number, high: number): number {
    return low + (high - low) * this.unit();
  }

  /** Uniform integer in [0, count). */
  below(count: number): number {
    return Math.floor(this.unit() * count);
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** Standard normal, by the sum of twelve uniforms (bounded at ±6, enough for drawing). */
  normal(): number {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += this.unit();
    return sum;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError("Random.pick: items must not be empty, got []");
    return item;
  }

  /** Pick with relative weights, given as [item, weight] pairs. */
  weighted<T>(items: readonly (readonly [T, number])[]): T {
    let at = this.unit() * items.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [item, weight] of items) {
      at -= weight;
      if (at < 0) return item;
    }
    return this.pick(items)[0];
  }
}

/** 32-bit hash of a number and a label. */
export function hash(seed: number, label: string | number): number {
  let h = mix(seed >>> 0);
  const text = String(label);
  for (let i = 0; i < text.length; i++) h = mix(h ^ Math.imul(text.charCodeAt(i) + 1, 0x85ebca6b));
  return h;
}

function mix(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Smooth value noise in about [-1, 1], of unit period between independent values; a pure function of (seed, t). */
export function smoothNoise(seed: number, t: number): number {
  const i = Math.floor(t);
  const f = t - i;
  const s = f * f * f * (f * (6 * f - 15) + 10);
  const a = mix(mix(seed + Math.imul(i, 0x27d4eb2f)) ^ 0x5bd1e995) / 2147483648 - 1;
  const b = mix(mix(seed + Math.imul(i + 1, 0x27d4eb2f)) ^ 0x5bd1e995) / 2147483648 - 1;
  return a + (b - a) * s;
}
