import { describe, expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { EXACT, ROUNDING, type Tolerance } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { at, build, sum, withAxis, type Nd } from "../testing/nd.ts";
import {
  all,
  any,
  argmax,
  argmin,
  countNonzero,
  logSumExp,
  maxWithIndices,
  minWithIndices,
  norm,
  normalize,
  std,
} from "./reductions.ts";

// exp, log and powers to 4e-6 of sums of at most 15 numbers below 4
const POWERS: Tolerance = { absolute: 1e-5, relative: 1e-5 };

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];
/** `f` of the values along an axis, which goes. */
function along(x: Nd, axis: number, f: (values: readonly number[]) => number): Nd {
  const n = x.shape[axis] ?? 0;
  return build(
    x.shape.filter((_, a) => a !== axis),
    (index) => f(Array.from({ length: n }, (_, i) => at(x, index.toSpliced(axis, 0, i)))),
  );
}
const total = (list: readonly number[], f: (v: number) => number): number => sum(list.length, (i) => f(list[i] ?? 0));

const SIZES = [{ x: [2, 5, 3] }, { x: [3, 1, 1] }, { x: [0, 4, 2] }];
describeOp("std", (x) => std(x, { axis: 1, correction: 1 }), {
  cases: [{ x: [2, 5, 3] }, { x: [0, 4, 2] }],
  reference: (x) =>
    along(x, 1, (v) => {
      const mean = total(v, (a) => a) / v.length;
      return Math.sqrt(total(v, (a) => (a - mean) ** 2) / (v.length - 1));
    }),
  tolerance: POWERS,
});
describeOp("logSumExp", (x) => logSumExp(x, { axis: -2 }), {
  cases: SIZES,
  reference: (x) => along(x, 1, (v) => Math.log(total(v, Math.exp))),
  tolerance: POWERS,
  range: [-4, 4],
});
for (const p of [1, 2, 3, Infinity])
  describeOp(`norm of p = ${p}`, (x) => norm(x, { p, axis: 1 }), {
    cases: SIZES,
    reference: (x) =>
      along(x, 1, (v) =>
        p === Infinity ? Math.max(...v.map(Math.abs)) : total(v, (a) => Math.abs(a) ** p) ** (1 / p),
      ),
    tolerance: POWERS,
  });
describeOp("normalize", (x) => normalize(x, { axis: -1 }), {
  cases: [{ x: [3, 5] }, { x: [2, 1] }],
  reference: (x) =>
    build(x.shape, (index) => at(x, index) / Math.sqrt(sum(x.shape[1] ?? 0, (i) => at(x, withAxis(index, 1, i)) ** 2))),
  tolerance: POWERS,
});
describeOp("maxWithIndices", (x) => maxWithIndices(x, -2).values, {
  cases: SIZES,
  reference: (x) => along(x, 1, (v) => Math.max(...v)),
  tolerance: EXACT,
  gradientTolerance: ROUNDING,
});
describeOp("minWithIndices", (x) => minWithIndices(x, 1).values, {
  cases: [{ x: [2, 5, 3] }],
  reference: (x) => along(x, 1, (v) => Math.min(...v)),
  tolerance: EXACT,
  gradientTolerance: ROUNDING,
});

describe("countNonzero, any and all", () => {
  test("count what is not zero, NaN included, of every dtype", async () => {
    const x = tensor([
      [0, 2, NaN],
      [0, 0, 0],
    ]);
    const results: [Tensor, number[]][] = [
      [countNonzero(x), [2]],
      [countNonzero(x.isNan(), { axis: 1 }), [1, 0]],
      [any(x, { axis: -1 }), [1, 0]],
      [any(tensor([0, 0], { dtype: "i32" })), [0]],
      [all(x, { axis: 0 }), [0, 0, 0]],
      [all(x.slice(0, 0, 1).slice(1, 1), { axis: 1, keepdim: true }), [1]],
      [any(zeros([0])), [0]],
      [all(zeros([0])), [1]],
      [countNonzero(zeros([2, 0]), { axis: 1 }), [0, 0]],
    ];
    await realize(results.map(([y]) => y));
    for (const [i, [y, expected]] of results.entries()) expect(await values(y), `result ${i}`).toEqual(expected);
    expect(results.map(([y]) => y.dtype)).toEqual([
      "i32",
      "i32",
      "bool",
      "bool",
      "bool",
      "bool",
      "bool",
      "bool",
      "i32",
    ]);
  });
});

describe("argmax and argmin", () => {
  test("give the first position of ties, along any axis or in the whole", async () => {
    const x = tensor([
      [1, 5, 5, 0],
      [7, 0, 7, 0],
    ]);
    const results: [Tensor, number[]][] = [
      [argmax(x), [4]],
      [argmax(x, { axis: 1 }), [1, 0]],
      [argmax(x, { axis: -2 }), [1, 0, 1, 0]],
      [argmin(x), [3]],
      [argmin(x, { axis: 1, keepdim: true }), [3, 1]],
      [argmin(x.cast("i32"), { axis: 0 }), [0, 1, 0, 0]],
      [argmax(x.cast("u32"), { keepdim: true }), [4]],
      [argmax(tensor(3)), [0]],
    ];
    await realize(results.map(([y]) => y));
    for (const [i, [y, expected]] of results.entries()) expect(await values(y), `result ${i}`).toEqual(expected);
    expect(results.map(([y]) => y.shape)).toEqual([[], [2], [4], [], [2, 1], [4], [1, 1], []]);
    expect(results.every(([y]) => y.dtype === "i32")).toBe(true);
  });

  test("take the first NaN for the extremum, and infinities for numbers", async () => {
    const x = tensor([
      [1, NaN, 9, NaN],
      [-Infinity, -1, Infinity, 0],
      [-Infinity, -Infinity, -Infinity, -Infinity],
    ]);
    const results = [argmax(x, { axis: 1 }), argmin(x, { axis: 1 }), maxWithIndices(x, 1).values];
    await realize(results);
    expect(await Promise.all(results.map(values))).toEqual([
      [1, 2, 0],
      [1, 0, 0],
      [NaN, Infinity, -Infinity],
    ]);
  });

  test("refuse an empty axis", () => {
    expect(() => argmax(zeros([2, 0]), { axis: 1 })).toThrow("argmax: the axis must not be empty, got shape [2, 0]");
    expect(() => argmin(zeros([0]))).toThrow("argmin: the axis must not be empty, got shape [0]");
    expect(() => minWithIndices(zeros([2]), 1)).toThrow("minWithIndices: axis must be in [-1, 0]");
    expect(argmax(zeros([0, 3]), { axis: 1 }).shape).toEqual([0]);
  });
});

test("maxWithIndices and minWithIndices send the gradient to the first of ties alone", async () => {
  const x = tensor([[2, 5, 5, 2]]);
  const [top, low] = [maxWithIndices(x, 1, { keepdim: true }), minWithIndices(x, 1)];
  const [dTop = zeros([])] = grad(top.values, [x]);
  const [dLow = zeros([])] = grad(low.values, [x]);
  expect([top.values.shape, top.indices.shape, low.values.shape]).toEqual([[1, 1], [1, 1], [1]]);
  expect([await values(dTop), await values(dLow)]).toEqual([
    [0, 1, 0, 0],
    [1, 0, 0, 0],
  ]);
});

describe("logSumExp", () => {
  test("neither overflows nor loses infinities", async () => {
    const x = tensor([
      [1e4, 1e4],
      [-1e4, -Infinity],
      [-Infinity, -Infinity],
      [Infinity, 0],
    ]);
    const y = await values(logSumExp(x, { axis: 1 }));
    // log 2 more than 1e4, to the spacing of floats there
    expect(Math.abs((y[0] ?? NaN) - 1e4 - Math.LN2)).toBeLessThan(1e-3);
    expect(y.slice(1)).toEqual([-1e4, -Infinity, Infinity]);
    expect(logSumExp(x, { axis: [0, -1], keepdim: true }).shape).toEqual([1, 1]);
    expect(await logSumExp(zeros([2, 3])).item()).toBeCloseTo(Math.log(6), 5);
  });
});

describe("norm", () => {
  test("of zeros has no slope, and normalize leaves zeros", async () => {
    const x = tensor([
      [0, 0],
      [3, 4],
    ]);
    const [dx = zeros([])] = grad(norm(x, { axis: 1 }), [x]);
    const y = normalize(x);
    await realize([dx, y]);
    const slope = await values(dx);
    [0, 0, 0.6, 0.8].forEach((v, i) => expect(slope[i]).toBeCloseTo(v, 6));
    expect((await values(y)).slice(0, 2)).toEqual([0, 0]);
    expect(await norm(x).item()).toBeCloseTo(5, 5);
    expect(norm(x, { p: 3, keepdim: true }).shape).toEqual([1, 1]);
  });
});
