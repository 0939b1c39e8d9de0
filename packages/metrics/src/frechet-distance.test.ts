import { describe, expect, test } from "vitest";
import { ShapeError } from "@omni/core";
import { FeatureAccumulator, type Features, featureStatistics } from "./feature-statistics.ts";
import { frechetDistance } from "./frechet-distance.ts";
import { pivotedCholesky } from "./pivoted-cholesky.ts";

/** Repeatable numbers in [-1, 1): a linear congruential generator (Knuth's MMIX constants, upper bits). */
function numbers(count: number, seed: number): Float64Array {
  let state = BigInt(seed) + 1n;
  return Float64Array.from({ length: count }, () => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    return Number(state >> 11n) / 2 ** 52 - 1;
  });
}
const features = (samples: number, dim: number, seed: number, value = (v: number, _k: number) => v): Features => ({
  shape: [samples, dim],
  data: numbers(samples * dim, seed).map((v, i) => value(v, i % dim)),
});

const diagonal = (...values: readonly number[]): Float64Array => {
  const n = values.length;
  return Float64Array.from({ length: n * n }, (_, k) => (k % (n + 1) === 0 ? (values[k / (n + 1)] ?? 0) : 0));
};

describe("frechetDistance", () => {
  test("is the formula where covariances are diagonal: Σ (μ1 − μ2)² + (σ1 − σ2)²", () => {
    const a = { samples: 9, mean: Float64Array.of(1, 2, 0), covariance: diagonal(4, 9, 0) };
    const b = { samples: 9, mean: Float64Array.of(0, 4, 0), covariance: diagonal(1, 25, 16) };
    expect(frechetDistance(a, b)).toBeCloseTo(1 + 4 + (2 - 1) ** 2 + (3 - 5) ** 2 + 4 ** 2, 12);
  });

  test("of a set and the set moved is the square of the way, whatever the rank", () => {
    for (const [samples, dim] of [
      [50, 8],
      [5, 12],
      [12, 12],
    ] as const) {
      const a = features(samples, dim, 1);
      const b = { ...a, data: Float64Array.from(a.data, (v, i) => v + (i % dim === 3 ? 2 : 0)) };
      // roundings of zero eigenvalues are left out, so only those of the traces remain
      expect(Math.abs(frechetDistance(a, b) - 4)).toBeLessThan(1e-6);
      expect(frechetDistance(a, a)).toBeLessThan(1e-6);
    }
  });

  test("of sets that share no direction is the sum of their traces", () => {
    const a = features(30, 6, 1, (v, k) => (k < 2 ? v : 0));
    const b = features(30, 6, 2, (v, k) => (k < 2 ? 0 : v));
    const [sa, sb] = [featureStatistics(a), featureStatistics(b)];
    const trace = [sa, sb].reduce(
      (sum, s) => sum + [0, 7, 14, 21, 28, 35].reduce((t, i) => t + (s.covariance[i] ?? 0), 0),
      0,
    );
    const apart = sa.mean.reduce((sum, m, i) => sum + (m - (sb.mean[i] ?? 0)) ** 2, 0);
    expect(frechetDistance(a, b)).toBeCloseTo(trace + apart, 10);
  });

  test("is symmetric, and the same after a rotation of both", () => {
    const [a, b] = [features(40, 2, 3), features(30, 2, 4, (v, k) => v * (k + 1))];
    const turned = (x: Features): Features => ({
      shape: x.shape,
      data: Float64Array.from({ length: x.data.length }, (_, i) => {
        const [u = 0, v = 0] = [x.data[i - (i % 2)], x.data[i - (i % 2) + 1]];
        return i % 2 === 0 ? 0.6 * u - 0.8 * v : 0.8 * u + 0.6 * v;
      }),
    });
    expect(frechetDistance(b, a)).toBeCloseTo(frechetDistance(a, b), 10);
    expect(frechetDistance(turned(a), turned(b))).toBeCloseTo(frechetDistance(a, b), 10);
  });

  test("in one dimension is (μ1 − μ2)² + (σ1 − σ2)² with sample deviations", () => {
    const a = { shape: [3, 1], data: [0, 2, 4] };
    const b = { shape: [3, 1], data: [1, 2, 3] };
    // deviations 2 and 1, means alike
    expect(frechetDistance(a, b)).toBeCloseTo(1, 12);
  });

  test("refuses sets of other widths, and single samples", () => {
    expect(() => frechetDistance(features(5, 3, 1), features(5, 4, 1))).toThrow(
      new ShapeError("frechetDistance: both sets must have features of one width, got 3 and 4"),
    );
    expect(() => featureStatistics(features(1, 3, 1))).toThrow("needs at least 2 samples, got 1");
  });
});

describe("FeatureAccumulator", () => {
  test("gives the same from batches as at once, far from zero too", () => {
    const all = features(23, 4, 7, (v) => v + 1e6);
    const batches = new FeatureAccumulator(4);
    for (const [from, to] of [
      [0, 1],
      [1, 1],
      [1, 10],
      [10, 23],
    ] as const)
      batches.add({ shape: [to - from, 4], data: Array.from(all.data).slice(from * 4, to * 4) });
    const [once, piecewise] = [featureStatistics(all), batches.statistics()];
    expect(piecewise.samples).toBe(23);
    // around 1e6 a number itself has 1e-10 of rounding
    once.mean.forEach((m, i) => expect(piecewise.mean[i]).toBeCloseTo(m, 8));
    once.covariance.forEach((c, i) => expect(piecewise.covariance[i]).toBeCloseTo(c, 8));
  });

  test("divides by samples − 1", () => {
    const { mean, covariance } = featureStatistics({ shape: [3, 2], data: [0, 0, 2, 4, 4, 2] });
    expect(mean).toEqual(Float64Array.of(2, 2));
    expect(covariance).toEqual(Float64Array.of(4, 2, 2, 4));
  });

  test("refuses features of another width", () => {
    expect(() => new FeatureAccumulator(3).add({ shape: [2, 2], data: [1, 2, 3, 4] })).toThrow("must be [samples, 3]");
  });
});

describe("pivotedCholesky", () => {
  test.each([
    [9, 5, 5],
    [3, 5, 2],
    [6, 6, 5],
  ])("of the covariance of %d samples in %d dimensions has rank %d and gives it back", (samples, dim, rank) => {
    const { covariance } = featureStatistics(features(samples, dim, 2));
    const factor = pivotedCholesky(covariance, dim);
    expect(factor.rank).toBe(rank);
    covariance.forEach((value, k) => {
      let product = 0;
      for (let r = 0; r < rank; r++)
        product += (factor.rows[r * dim + Math.floor(k / dim)] ?? 0) * (factor.rows[r * dim + (k % dim)] ?? 0);
      expect(product).toBeCloseTo(value, 13);
    });
  });

  test("of zeros has rank 0", () => {
    expect(pivotedCholesky(new Float64Array(9), 3).rank).toBe(0);
  });
});
