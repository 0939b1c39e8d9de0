import type { Expected } from "../ops/kind.ts";

/**
 * Largest root-mean-square error relative to the answer's that counts as right: what float32 loses in sums of a few thousand terms is below
 * 1e-5, an operation left out or done in half precision above 1e-3.
 */
export const MOST_ERROR = 1e-4;

/**
 * √(Σ (y − ŷ)² / Σ ŷ²) at the checked positions; Infinity where any value of the answer is not finite or one is missing.
 *
 * @param answer all values, row-major
 */
export function relativeError(answer: ArrayLike<number>, { positions, values }: Expected): number {
  for (let i = 0; i < answer.length; i++) if (!Number.isFinite(answer[i])) return Infinity;
  let difference = 0;
  let size = 0;
  for (const [i, position] of positions.entries()) {
    const wanted = values[i] ?? NaN;
    difference += ((answer[position] ?? NaN) - wanted) ** 2;
    size += wanted ** 2;
  }
  const error = Math.sqrt(difference / size);
  return Number.isNaN(error) ? Infinity : error;
}
