import { sizeOf, type Shape } from "../base/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { coordinatesOf, type Nd } from "./nd.ts";

/** |actual − expected| ≤ absolute + relative · |expected|. Say in the test why a tolerance is what it is. */
export interface Tolerance {
  /** Added to the relative part. */
  readonly absolute: number;
  /** Of the expected value's size. */
  readonly relative: number;
}

/** A few roundings of f32 (2⁻²⁴ = 6e-8 each) on numbers of about 1. */
export const ROUNDING: Tolerance = { absolute: 1e-6, relative: 1e-6 };
/** Equal, element by element. */
export const EXACT: Tolerance = { absolute: 0, relative: 0 };

/**
 * Where two arrays differ most, in words; null when all elements are within the tolerance. NaN equals NaN, an infinity itself.
 */
export function difference(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { absolute, relative }: Tolerance,
  shape: Shape = [expected.length],
): string | null {
  if (actual.length !== expected.length) return `${actual.length} elements where ${expected.length} were expected`;
  let worst = 1;
  let where = -1;
  let count = 0;
  for (let i = 0; i < expected.length; i++) {
    const a = actual[i] ?? NaN;
    const e = expected[i] ?? NaN;
    if (a === e || (Number.isNaN(a) && Number.isNaN(e))) continue;
    const excess = Math.abs(a - e) / (absolute + relative * Math.abs(e));
    if (excess <= 1) continue;
    count++;
    if (where >= 0 && !(excess > worst)) continue;
    worst = excess;
    where = i;
  }
  if (where < 0) return null;
  const place = coordinatesOf(shape, where).join(", ");
  return `${count} of ${expected.length} elements differ, most at [${place}]: ${actual[where]} where ${expected[where]} was expected`;
}

/** Whether all elements are within the tolerance. */
export const allclose = (
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: Tolerance = ROUNDING,
): boolean => difference(actual, expected, tolerance) === null;

/**
 * Reads a tensor and compares it with the expected array, shape included.
 *
 * @throws Error that names the element furthest off
 */
export async function expectClose(
  actual: Tensor,
  expected: Nd,
  tolerance: Tolerance = ROUNDING,
  name = "tensor",
): Promise<void> {
  if (actual.shape.join() !== expected.shape.join() || actual.size !== sizeOf(expected.shape))
    throw new Error(`${name}: shape [${actual.shape.join(", ")}] where [${expected.shape.join(", ")}] was expected`);
  const found = difference(await actual.data(), expected.data, tolerance, expected.shape);
  if (found) throw new Error(`${name}: ${found}`);
}
