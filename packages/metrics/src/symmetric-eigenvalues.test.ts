import { describe, expect, test } from "vitest";
import { ShapeError } from "@omni/core";
import { symmetricEigenvalues } from "./symmetric-eigenvalues.ts";

const of = (n: number, value: (i: number, j: number) => number): Float64Array =>
  Float64Array.from({ length: n * n }, (_, k) => value(Math.floor(k / n), k % n));

function expectEigenvalues(got: Float64Array, expected: readonly number[]): void {
  const size = Math.max(...expected.map(Math.abs));
  // backward stable: a few n roundings of the largest
  const tolerance = 4 * expected.length * Number.EPSILON * size;
  expect(got).toHaveLength(expected.length);
  got.forEach((v, i) => expect(Math.abs(v - (expected[i] ?? NaN))).toBeLessThanOrEqual(tolerance));
}

describe("symmetricEigenvalues", () => {
  test.each([1, 2, 3, 17, 60])("knows the second difference of %d points", (n) => {
    // eigenvalues 2 − 2 cos(kπ / (n + 1)), k = 1 … n
    const expected = Array.from({ length: n }, (_, k) => 2 - 2 * Math.cos(((k + 1) * Math.PI) / (n + 1)));
    const matrix = of(n, (i, j) => (i === j ? 2 : Math.abs(i - j) === 1 ? -1 : 0));
    expectEigenvalues(symmetricEigenvalues(matrix, n), expected);
  });

  test("knows full matrices: min(i, j), whose inverse is a second difference", () => {
    // eigenvalues 1 / (4 sin²((2k − 1)π / (4n + 2)))
    const n = 24;
    const expected = Array.from(
      { length: n },
      (_, k) => 1 / (4 * Math.sin(((2 * (n - k) - 1) * Math.PI) / (4 * n + 2)) ** 2),
    );
    expectEigenvalues(
      symmetricEigenvalues(
        of(n, (i, j) => Math.min(i, j) + 1),
        n,
      ),
      expected,
    );
  });

  test("finds multiple and zero eigenvalues", () => {
    // u uᵀ of ones: n once, 0 otherwise
    expectEigenvalues(
      symmetricEigenvalues(
        of(9, () => 1),
        9,
      ),
      [0, 0, 0, 0, 0, 0, 0, 0, 9],
    );
    expectEigenvalues(
      symmetricEigenvalues(
        of(4, (i, j) => (i === j ? -3 : 0)),
        4,
      ),
      [-3, -3, -3, -3],
    );
    expect(symmetricEigenvalues(new Float64Array(9), 3)).toEqual(new Float64Array(3));
    expect(symmetricEigenvalues(new Float64Array(0), 0)).toEqual(new Float64Array(0));
  });

  test("keeps to any scale", () => {
    const matrix = of(5, (i, j) => 1e-200 * (Math.min(i, j) + 1));
    const plain = symmetricEigenvalues(
      of(5, (i, j) => Math.min(i, j) + 1),
      5,
    );
    symmetricEigenvalues(matrix, 5).forEach((v, i) => expect(v / 1e-200 / (plain[i] ?? NaN)).toBeCloseTo(1, 12));
  });

  test("reads the lower triangle and leaves the matrix alone", () => {
    const matrix = Float64Array.of(2, 99, 1, 2);
    expectEigenvalues(symmetricEigenvalues(matrix, 2), [1, 3]);
    expect(matrix).toEqual(Float64Array.of(2, 99, 1, 2));
  });

  test("refuses what is no square, and says that NaN does not converge", () => {
    expect(() => symmetricEigenvalues(new Float64Array(5), 2)).toThrow(ShapeError);
    expect(() => symmetricEigenvalues(new Float64Array(9).fill(NaN), 3)).toThrow("must be finite");
  });
});
