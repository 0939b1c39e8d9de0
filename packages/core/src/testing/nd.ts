import { contiguousStrides, sizeOf, type Shape } from "../base/shape.ts";
import { philox4x32, uniform01 } from "../random/philox.ts";

/** An array in float64 on the host: what an expected value is computed with. */
export interface Nd {
  /** Sizes of the axes. */
  readonly shape: Shape;
  /** Values in row-major order. */
  readonly data: Float64Array;
}

/** Coordinates of element `i` in row-major order. */
export function coordinatesOf(shape: Shape, i: number): number[] {
  let rest = i;
  return contiguousStrides(shape).map((stride) => {
    const c = Math.floor(rest / stride);
    rest -= c * stride;
    return c;
  });
}

/**
 * Builds an array element by element from its coordinates: definitions are written as the textbook has them.
 *
 * @param value may not keep the coordinates it is given
 */
export function build(shape: Shape, value: (index: readonly number[]) => number): Nd {
  const data = new Float64Array(sizeOf(shape));
  const index = new Array<number>(shape.length).fill(0);
  for (let i = 0; i < data.length; i++) {
    data[i] = value(index);
    for (let a = shape.length - 1; a >= 0; a--) {
      const next = (index[a] ?? 0) + 1;
      index[a] = next === shape[a] ? 0 : next;
      if (index[a] !== 0) break;
    }
  }
  return { shape, data };
}

/** Element at `index`. Coordinates align from the back and an axis of size 1 repeats, as in broadcasting. */
export function at({ shape, data }: Nd, index: readonly number[]): number {
  const front = index.length - shape.length;
  let place = 0;
  let step = 1;
  for (let a = shape.length - 1; a >= 0; a--) {
    const n = shape[a] ?? 1;
    if (n !== 1) place += (index[front + a] ?? 0) * step;
    step *= n;
  }
  return data[place] ?? NaN;
}

/** Σ over i of value(i), i in [0, n). */
export function sum(n: number, value: (i: number) => number): number {
  let total = 0;
  for (let i = 0; i < n; i++) total += value(i);
  return total;
}

/** Coordinates `index` with axis `axis` set to `value`. */
export const withAxis = (index: readonly number[], axis: number, value: number): number[] =>
  index.map((c, a) => (a === axis ? value : c));

/** Repeatable numbers in [low, high), rounded to f32 so that host and device start from the same values. */
export function sample(shape: Shape, seed: number, low = -1, high = 1): Nd {
  const data = new Float64Array(sizeOf(shape));
  for (let i = 0; i < data.length; i++) {
    const [word] = philox4x32([i, 0, 0, 0], [seed, 0x7e57]);
    data[i] = Math.fround(low + (high - low) * uniform01(word));
  }
  return { shape, data };
}
