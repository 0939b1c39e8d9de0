import { mulberry32 } from "./random.ts";

export type Floats = Float32Array<ArrayBuffer>;

/** What an op must give, in float64: all values, or those at some positions of the row-major result. */
export interface Expected {
  readonly positions: Uint32Array;
  readonly values: Float64Array;
}

/** A kind of measured work: what it reads, what must come out, what it costs at least. */
export interface Kind<Spec, Inputs> {
  inputs(spec: Spec): Inputs;
  /** Null where no float64 formula is at hand: the contender then brings a check of its own. */
  expected: ((spec: Spec, inputs: Inputs) => Expected) | null;
  /** Floating-point operations, a multiply-add as two; null where bytes tell more. */
  flops(spec: Spec): number | null;
  /** Bytes that must at least be read and written; null where operations tell more. */
  bytes(spec: Spec): number | null;
}

const EDGE = 64;

/**
 * Positions that are checked: the first and last 64, where kernels of odd sizes go wrong, and others at random.
 *
 * @param size elements of the result
 */
export function sampledPositions(size: number, count = 4096): Uint32Array {
  if (size <= count) return Uint32Array.from({ length: size }, (_, i) => i);
  const random = mulberry32(size);
  return Uint32Array.from({ length: count }, (_, i) =>
    i < EDGE ? i : i < 2 * EDGE ? size - 1 - (i - EDGE) : Math.floor(random() * size),
  );
}

/** Expected values at sampled positions. */
export function expectAt(size: number, valueAt: (position: number) => number, count?: number): Expected {
  const positions = sampledPositions(size, count);
  return { positions, values: Float64Array.from(positions, valueAt) };
}

/** All of some values. */
export const expectAll = (values: ArrayLike<number>): Expected => ({
  positions: Uint32Array.from({ length: values.length }, (_, i) => i),
  values: Float64Array.from(values),
});

/** An element of an input whose index is in range by construction. */
export const at = (values: ArrayLike<number>, index: number): number => values[index] ?? NaN;
