import { ShapeError } from "@omni/core";
import { type Features, featureStatistics, type FeatureStatistics } from "./feature-statistics.ts";
import { pivotedCholesky } from "./pivoted-cholesky.ts";
import { symmetricEigenvalues } from "./symmetric-eigenvalues.ts";
import { timesTransposed } from "./times-transposed.ts";

const isStatistics = (x: Features | FeatureStatistics): x is FeatureStatistics => "covariance" in x;

/**
 * Fréchet distance between normal distributions with the means and covariances of two sets of features:
 *
 * ‖μ1 − μ2‖² + tr(S1 + S2 − 2 (S1 S2)^½)
 *
 * With features of Inception's last pooling it is FID, with those of a video network FVD. In float64 on the host. With S1 = Lᵀ L the
 * nonzero eigenvalues of S1 S2 are those of the symmetric L S2 Lᵀ, so that no matrix root is taken and no rank is too low.
 *
 * @param a features [samples, dim], or their statistics
 * @param b the same of the other set
 * @returns at least 0
 * @throws ShapeError when the widths differ
 * @see Dowson & Landau 1982, eq. 4; Heusel et al. 2017 for FID
 */
export function frechetDistance(a: Features | FeatureStatistics, b: Features | FeatureStatistics): number {
  const [first, second] = [a, b].map((x) => (isStatistics(x) ? x : featureStatistics(x)));
  if (!first || !second || first.mean.length !== second.mean.length)
    throw new ShapeError(
      `frechetDistance: both sets must have features of one width, got ${first?.mean.length} and ${second?.mean.length}`,
    );
  const dim = first.mean.length;
  const apart = first.mean.reduce((sum, m, i) => sum + (m - (second.mean[i] ?? 0)) ** 2, 0);
  const root = traceOfRoot(first.covariance, second.covariance, dim);
  const distance = apart + trace(first.covariance, dim) + trace(second.covariance, dim) - 2 * root;
  // equal sets come out as a rounding of zero; NaN stays
  return distance < 0 ? 0 : distance;
}

function trace(matrix: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += matrix[i * n + i] ?? 0;
  return sum;
}

/** tr (S1 S2)^½ of two covariances. */
function traceOfRoot(s1: Float64Array, s2: Float64Array, n: number): number {
  const { rank, rows } = pivotedCholesky(s1, n);
  // S2 is its own transpose
  const product = timesTransposed(rows, s2, [rank, n, n]);
  const inner = timesTransposed(product, rows, [rank, rank, n], { lower: true });
  // where S2 has a lower rank, roundings of zero may be negative; their roots would be far larger than they are
  const eigenvalues = symmetricEigenvalues(inner, rank);
  const floor = rank * Number.EPSILON * Math.abs(eigenvalues.at(-1) ?? 0);
  return eigenvalues.reduce((sum, value) => sum + (value <= floor ? 0 : Math.sqrt(value)), 0);
}
