import { expect, test } from "vitest";
import { timesTransposed } from "./times-transposed.ts";

test.each([
  [1, 1, 1],
  [4, 8, 5],
  [7, 5, 3],
  [6, 6, 2100],
  [3, 9, 0],
])("A·Bᵀ of [%d, k] and [%d, k] with k = %d is the sums of products", (rows, columns, depth) => {
  // whole numbers: sums are exact in any order
  const a = Float64Array.from({ length: rows * depth }, (_, i) => (i * 7) % 11);
  const b = Float64Array.from({ length: columns * depth }, (_, i) => (i * 5) % 13);
  const expected = Float64Array.from({ length: rows * columns }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < depth; k++)
      sum += (a[Math.floor(i / columns) * depth + k] ?? NaN) * (b[(i % columns) * depth + k] ?? NaN);
    return sum;
  });
  expect(timesTransposed(a, b, [rows, columns, depth])).toEqual(expected);
  const lower = timesTransposed(a, b, [rows, columns, depth], { lower: true });
  lower.forEach((v, i) => {
    if (i % columns <= Math.floor(i / columns)) expect(v).toBe(expected[i]);
  });
});
