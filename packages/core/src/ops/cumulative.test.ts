import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DTypeError } from "../base/errors.ts";
import { grad } from "../autograd/grad.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { realize } from "../tensor/tensor.ts";
import { type Tolerance } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { at, build, sum, withAxis, type Nd } from "../testing/nd.ts";
import { cumprod, cumsum, linearScan, prod } from "./cumulative.ts";

// at most 70 sums or products of numbers below 1.5
const RUNNING: Tolerance = { absolute: 1e-5, relative: 1e-5 };

const product = (n: number, value: (i: number) => number): number => {
  let total = 1;
  for (let i = 0; i < n; i++) total *= value(i);
  return total;
};
/** `f` of the first elements of an axis, up to each. */
const running = (x: Nd, axis: number, f: (n: number, value: (i: number) => number) => number): Nd =>
  build(x.shape, (index) => f((index[axis] ?? 0) + 1, (i) => at(x, withAxis(index, axis, i))));

for (const [name, op, f] of [
  ["cumsum", cumsum, sum],
  ["cumprod", cumprod, product],
] as const) {
  describeOp(name, (x) => op(x), {
    cases: [{ x: [3, 7] }, { x: [70] }, { x: [4, 1] }, { x: [0, 3] }, { x: [3, 0] }],
    reference: (x) => running(x, x.shape.length - 1, f),
    tolerance: RUNNING,
    range: [0.5, 1.5],
    throws: [[{ x: [] }, `${name}: axis must be in [0, -1] for 0 dimensions, got -1`]],
  });
  describeOp(`${name} of axis -2`, (x) => op(x, -2), {
    cases: [{ x: [2, 5, 3] }],
    reference: (x) => running(x, 1, f),
    tolerance: RUNNING,
  });
}

describeOp("prod", (x) => prod(x, { axis: 1 }), {
  cases: [{ x: [2, 5, 3] }, { x: [3, 1] }, { x: [3, 0] }, { x: [0, 4] }],
  reference: (x) => {
    const [n = 0, m = 0, ...rest] = x.shape;
    return build([n, ...rest], ([i = 0, ...tail]) => product(m, (j) => at(x, [i, j, ...tail])));
  },
  tolerance: RUNNING,
  range: [-1.5, 1.5],
});

function recurrence(a: Nd, b: Nd, axis: number): Nd {
  const value = (index: readonly number[], t: number): number =>
    t < 0 ? 0 : at(a, withAxis(index, axis, t)) * value(index, t - 1) + at(b, withAxis(index, axis, t));
  return build(a.shape, (index) => value(index, index[axis] ?? 0));
}
describeOp("linearScan", (a, b) => linearScan(a, b), {
  cases: [
    { a: [2, 9], b: [2, 9] },
    { a: [3, 1], b: [3, 1] },
    { a: [0, 4], b: [0, 4] },
    { a: [4, 0], b: [4, 0] },
  ],
  reference: (a, b) => recurrence(a, b, 1),
  tolerance: RUNNING,
  throws: [[{ a: [2, 3], b: [2, 1] }, "linearScan: a and b must share a shape, got [2, 3] and [2, 1]"]],
});
describeOp("linearScan of axis 0", (a, b) => linearScan(a, b, 0), {
  cases: [{ a: [5, 3], b: [5, 3] }],
  reference: (a, b) => recurrence(a, b, 0),
  tolerance: RUNNING,
});

describe("cumprod and prod", () => {
  test("have exact gradients where factors are zero", async () => {
    const X = [2, 0, 3, 0, 4];
    const W = [1, 2, 3, 4, 5];
    // ∂/∂x_j of Σ_t w_t Π_{i ≤ t} x_i leaves x_j out of each product that has it
    const expected = X.map((_, j) =>
      sum(5 - j, (k) => (W[j + k] ?? 0) * product(j + k + 1, (i) => (i === j ? 1 : (X[i] ?? 0)))),
    );
    const x = tensor(X);
    const [dx = zeros([])] = grad(cumprod(x), [x], tensor(W));
    expect([...(await dx.data())]).toEqual(expected);
    // the product of the others: 6 at the only zero, 0 everywhere when there are two
    const [one, two] = [tensor([2, 0, 3]), tensor([0, 0, 3])];
    const [d1 = zeros([])] = grad(prod(one), [one]);
    const [d2 = zeros([])] = grad(prod(two), [two]);
    expect([...(await d1.data()), ...(await d2.data())]).toEqual([0, 6, 0, 0, 0, 0]);
  });

  test("prod of all elements, kept axes, whole numbers, and of nothing", async () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const results = [
      prod(x),
      prod(x.cast("i32"), { axis: -1 }),
      prod(zeros([0])),
      prod(zeros([2, 0], "i32"), { axis: 1 }),
    ];
    await realize(results);
    expect(await Promise.all(results.map(async (y) => [...(await y.data())]))).toEqual([[720], [6, 120], [1], [1, 1]]);
    expect(prod(x, { keepdim: true }).shape).toEqual([1, 1]);
    expect(prod(x, { axis: 0, keepdim: true }).shape).toEqual([1, 3]);
    expect(results[1]?.dtype).toBe("i32");
  });
});

test("the last running sum is the sum, in whole numbers of any length", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 300 }),
      async (list) => {
        const y = await cumsum(tensor(list, { dtype: "i32" })).data();
        const expected = list.reduce<number[]>((sums, v) => [...sums, (sums.at(-1) ?? 0) + v], []);
        expect([...y]).toEqual(expected);
      },
    ),
    { seed: 5, numRuns: 12 },
  );
});

test("dtypes that cannot be added are refused", () => {
  expect(() => cumsum(zeros([2], "bool"))).toThrow(
    new DTypeError("cumsum: input must be f32 or i32 or u32, got bool; cast it first"),
  );
  expect(() => cumprod(zeros([2], "bool"))).toThrow("cumprod: input must be f32 or i32 or u32, got bool");
  expect(() => prod(zeros([2], "bool"))).toThrow("prod: input must be f32 or i32 or u32, got bool");
  expect(() => linearScan(zeros([2], "i32"), zeros([2], "i32"))).toThrow("linearScan: input must be f32, got i32");
});
