import { describe, expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { EXACT, ROUNDING } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { at, build, withAxis, type Nd } from "../testing/nd.ts";
import { median, medianWithIndices, mode, quantile } from "./order-statistics.ts";

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];

/** f of each row of an axis in order; the axis goes. */
function ordered(x: Nd, axis: number, f: (row: readonly number[]) => number): Nd {
  return build(
    x.shape.filter((_, a) => a !== axis),
    (index) => {
      const place = index.toSpliced(axis, 0, 0);
      const row = Array.from({ length: x.shape[axis] ?? 0 }, (_, i) => at(x, withAxis(place, axis, i)));
      return f(row.sort((a, b) => a - b));
    },
  );
}
const MOVED = { tolerance: EXACT, gradientTolerance: ROUNDING } as const;
describeOp("median of an axis", (x) => median(x, { axis: -2 }), {
  cases: [{ x: [2, 5, 3] }, { x: [6, 2] }, { x: [1, 2] }, { x: [4, 0] }],
  reference: (x) => ordered(x, x.shape.length - 2, (row) => row[Math.floor((row.length - 1) / 2)] ?? NaN),
  ...MOVED,
  throws: [[{ x: [0, 2] }, "median: the axis must not be empty, got shape [0, 2]"]],
});
describeOp("median of all", (x) => median(x), {
  cases: [{ x: [3, 4] }, { x: [] }],
  reference: (x) => ({
    shape: [],
    data: Float64Array.of(x.data.toSorted()[Math.floor((x.data.length - 1) / 2)] ?? NaN),
  }),
  ...MOVED,
});

const most = (row: readonly number[]): number => {
  const count = (v: number): number => row.filter((w) => w === v).length;
  return row.reduce((best, v) => (count(v) > count(best) ? v : best));
};
describeOp("mode", (x) => mode(x.mul(2).round(), { axis: 0 }).values, {
  cases: [{ x: [7, 3] }, { x: [1, 2] }, { x: [40] }, { x: [3, 0] }],
  reference: (x) => ordered({ shape: x.shape, data: x.data.map((v) => Math.round(2 * v)) }, 0, most),
  tolerance: EXACT,
  throws: [[{ x: [0] }, "mode: the axis must not be empty, got shape [0]"]],
});

/** NumPy's linear interpolation. */
const between = (row: ArrayLike<number>, q: number): number => {
  const place = q * (row.length - 1);
  const [low, high] = [row[Math.floor(place)] ?? NaN, row[Math.ceil(place)] ?? NaN];
  return low + (high - low) * (place - Math.floor(place));
};
describeOp("quantile", (x) => quantile(x, 0.3, { axis: 0 }), {
  cases: [{ x: [5, 2] }, { x: [1, 3] }, { x: [11] }],
  reference: (x) => ordered(x, 0, (row) => between(row, 0.3)),
  tolerance: ROUNDING,
  throws: [[{ x: [0] }, "quantile: the axis must not be empty, got shape [0]"]],
});
describeOp("several quantiles of all elements", (x) => quantile(x, [0, 0.25, 1]), {
  cases: [{ x: [3, 4] }],
  reference: (x) => ({ shape: [3], data: Float64Array.from([0, 0.25, 1], (q) => between(x.data.toSorted(), q)) }),
  tolerance: ROUNDING,
});

describe("order statistics", () => {
  test("of an axis with NaN are NaN, and the median's place is the first of them", async () => {
    const x = tensor([
      [NaN, 1, NaN],
      [3, 1, 2],
    ]);
    const { values: y, indices } = medianWithIndices(x, 1, { keepdim: true });
    const q = quantile(x, 0, { axis: 1 });
    await realize([y, indices, q]);
    expect([y.shape, indices.dtype]).toEqual([[2, 1], "i32"]);
    expect([await values(y), await values(indices), await values(q)]).toEqual([
      [NaN, 2],
      [0, 2],
      [NaN, 1],
    ]);
  });

  test("the mode is the smallest of the most frequent, at its last place, and has a gradient", async () => {
    const x = tensor([3, 1, 2, 1, 3, NaN, NaN, NaN]);
    const { values: y, indices } = mode(x);
    expect([await values(y), await values(indices)]).toEqual([[1], [3]]);
    const [dx] = grad(mode(x, { keepdim: true }).values.sum(), [x]);
    expect(dx && (await values(dx))).toEqual([0, 0, 0, 1, 0, 0, 0, 0]);
    expect(await values(mode(tensor([5, 4, 5], { dtype: "i32" })).values)).toEqual([5]);
  });

  test("take whole numbers, and keep reduced axes if asked", async () => {
    const x = tensor(
      [
        [4, 1],
        [3, 2],
      ],
      { dtype: "i32" },
    );
    const y = median(x, { keepdim: true });
    expect([y.shape, y.dtype, await values(y)]).toEqual([[1, 1], "i32", [2]]);
    expect(quantile(zeros([2, 3]), [0.5], { axis: 1, keepdim: true }).shape).toEqual([1, 2, 1]);
    expect(quantile(zeros([2, 3]), 0.5, { keepdim: true }).shape).toEqual([1, 1]);
  });

  test.each([
    ["lower", [1, 2]],
    ["higher", [2, 3]],
    ["midpoint", [1.5, 2.5]],
    ["nearest", [1, 3]],
  ] as const)("between two places quantile takes the %s", async (interpolation, expected) => {
    // of 4 and of 6 places: 0.5 and 2.5 of their places, 1/6 and 1/2
    const x = tensor([1, 2, 3, 4]);
    expect(await values(quantile(x, [1 / 6, 1 / 2], { interpolation }))).toEqual(expected);
    expect(() => quantile(x, 1.1)).toThrow("quantile: q must be one or more numbers in [0, 1], got [1.1]");
  });
});
