/** A factor of a positive semidefinite matrix, transposed: S = Lᵀ L. */
export interface Factor {
  /** Rows of `rows`: the numerical rank of S. */
  readonly rank: number;
  /** [rank, n] in row-major order. */
  readonly rows: Float64Array;
}

/**
 * Cholesky's factor with the largest remaining diagonal as the next pivot, until what remains is rounding: right for matrices of any rank.
 *
 * @param matrix [n, n], symmetric and positive semidefinite, in row-major order
 * @see Higham, "Accuracy and Stability of Numerical Algorithms", section 10.3
 */
export function pivotedCholesky(matrix: Float64Array, n: number): Factor {
  const remaining = Float64Array.from({ length: n }, (_, i) => matrix[i * n + i] ?? 0);
  const floor = n * Number.EPSILON * remaining.reduce((a, b) => Math.max(a, b), 0);
  const rows = new Float64Array(n * n);
  let rank = 0;
  for (; rank < n; rank++) {
    const pivot = remaining.reduce((best, value, i) => (value > (remaining[best] ?? 0) ? i : best), 0);
    const size = remaining[pivot] ?? 0;
    // NaN goes on, to be seen in the result
    if (size <= floor) break;
    const root = Math.sqrt(size);
    // apart from the rows: those not known yet must be zeros
    const row = matrix.slice(pivot * n, (pivot + 1) * n);
    for (let known = 0; known < rank; known += 4) subtractFour(rows, row, known, pivot);
    for (let j = 0; j < n; j++) {
      const value = (row[j] ?? 0) / root;
      row[j] = value;
      remaining[j] = (remaining[j] ?? 0) - value * value;
    }
    remaining[pivot] = -Infinity;
    rows.set(row, rank * n);
  }
  return { rank, rows: rows.slice(0, rank * n) };
}

/** row ← row − Σ known(pivot) · known, over four known rows at a time; those that are not known yet are zeros at the pivot. */
function subtractFour(rows: Float64Array, row: Float64Array, known: number, pivot: number): void {
  const n = row.length;
  const factor = (i: number): number => rows[i * n + pivot] ?? 0;
  const [f0, f1, f2, f3] = [factor(known), factor(known + 1), factor(known + 2), factor(known + 3)];
  const [k0, k1, k2, k3] = [known * n, (known + 1) * n, (known + 2) * n, (known + 3) * n];
  for (let j = 0; j < n; j++)
    row[j] =
      (row[j] ?? 0) -
      f0 * (rows[k0 + j] ?? 0) -
      f1 * (rows[k1 + j] ?? 0) -
      f2 * (rows[k2 + j] ?? 0) -
      f3 * (rows[k3 + j] ?? 0);
}
