import type { Computed, StoredValues, Tolerance } from "./types.ts";

export interface Comparison {
  /** Largest |got − ref| / (atol + rtol·|ref|). */
  readonly worst: number;
  /** Null where everything agrees. */
  readonly difference: string | null;
}

export interface Expected {
  readonly dtype: Computed["dtype"];
  readonly shape: readonly number[];
  readonly tol: Tolerance;
  readonly sample_stride?: number;
}

const differs = (difference: string): Comparison => ({ worst: Infinity, difference });

/**
 * |got − ref| ≤ atol + rtol·|ref| for every element; NaN meets NaN, infinities are equal, shape and dtype too.
 *
 * @param exempt elements that the format leaves open
 * @param stored every n-th element of the reference where `expected` says so
 */
export function compare(
  got: Computed,
  expected: Expected,
  stored: StoredValues,
  exempt: ((i: number) => boolean) | null = null,
): Comparison {
  if (got.shape.join() !== expected.shape.join())
    return differs(`shape must be [${expected.shape.join(", ")}], got [${got.shape.join(", ")}]`);
  if (got.dtype !== expected.dtype) return differs(`dtype must be ${expected.dtype}, got ${got.dtype}`);
  const step = expected.sample_stride ?? 1;
  const count = Math.ceil(got.data.length / step);
  if (stored.data.length !== count) return differs(`must have ${stored.data.length} stored elements, got ${count}`);
  const { rtol, atol } = expected.tol;
  let worst = 0;
  let first: string | null = null;
  for (let k = 0; k < count; k++) {
    const i = k * step;
    const a = got.data[i] ?? NaN;
    const b = stored.data[k] ?? NaN;
    let ratio = 0;
    if (Number.isNaN(b) || !Number.isFinite(b)) ratio = Object.is(a, b) || a === b ? 0 : Infinity;
    else {
      const error = Math.abs(a - b);
      const limit = atol + rtol * Math.abs(b);
      ratio = error === 0 ? 0 : error / limit;
      // NaN where a number must be
      if (!(error <= limit)) ratio = Math.max(ratio, 1 + Number.EPSILON) || Infinity;
    }
    if (ratio > 1 && exempt?.(i) === true) continue;
    if (ratio > 1 && (first === null || ratio > worst))
      first = `element ${i} must be ${b} (± ${(atol + rtol * Math.abs(b)).toExponential(2)}), got ${a}`;
    worst = Math.max(worst, ratio);
  }
  return { worst, difference: first };
}
