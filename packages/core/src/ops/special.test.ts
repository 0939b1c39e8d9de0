import { describe, expect, test } from "vitest";
import { DTypeError, ShapeError } from "../base/errors.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { ROUNDING, type Tolerance } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { erf, zip } from "../testing/reference.ts";
import {
  acosh,
  allClose,
  asinh,
  atanh,
  copySign,
  cosh,
  erfc,
  frac,
  heaviside,
  hypot,
  isClose,
  lerp,
  logAddExp,
  logit,
  sinc,
  sinh,
  xlogy,
} from "./special.ts";

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];
// exponentials and logarithms to 4e-6
const EXPONENTIALS: Tolerance = { absolute: 8e-6, relative: 8e-6 };

const unary: [string, (x: Tensor) => Tensor, (x: number) => number, readonly [number, number]][] = [
  ["erfc", erfc, (x) => 1 - erf(x), [-2, 2]],
  ["sinh", sinh, Math.sinh, [-2, 2]],
  ["cosh", cosh, Math.cosh, [-2, 2]],
  ["asinh", asinh, Math.asinh, [-2, 2]],
  ["acosh", acosh, Math.acosh, [1.2, 4]],
  ["atanh", atanh, Math.atanh, [-0.9, 0.9]],
  ["logit", (x) => logit(x), (x) => Math.log(x / (1 - x)), [0.1, 0.9]],
  ["sinc", sinc, (x) => Math.sin(Math.PI * x) / (Math.PI * x), [0.1, 2]],
  ["frac", frac, (x) => x % 1, [-3, 3]],
];
for (const [name, op, value, range] of unary)
  describeOp(name, op, {
    cases: [{ x: [3, 5] }, { x: [0] }],
    reference: (x) => zip(value, x),
    tolerance: EXPONENTIALS,
    range,
  });

const binary: [
  string,
  (a: Tensor, b: Tensor) => Tensor,
  (a: number, b: number) => number,
  readonly [number, number],
][] = [
  ["hypot", hypot, Math.hypot, [-2, 2]],
  ["logAddExp", logAddExp, (a, b) => Math.log(Math.exp(a) + Math.exp(b)), [-2, 2]],
  ["xlogy", xlogy, (a, b) => a * Math.log(b), [0.1, 2]],
  ["copySign", copySign, (a, b) => Math.abs(a) * Math.sign(b), [-2, 2]],
];
for (const [name, op, value, range] of binary)
  describeOp(name, op, {
    cases: [
      { a: [3, 5], b: [5] },
      { a: [2, 1], b: [1, 4] },
    ],
    reference: (a, b) => zip(value, a, b),
    tolerance: EXPONENTIALS,
    range,
    throws: [[{ a: [2], b: [3] }, "shapes must broadcast, got ["]],
  });
describeOp("lerp", (a, b, weight) => lerp(a, b, weight), {
  cases: [{ a: [3, 2], b: [2], weight: [3, 1] }],
  reference: (a, b, weight) => zip((x, y, w) => x + w * (y - x), a, b, weight),
  tolerance: ROUNDING,
});

describe("special functions", () => {
  test("at their limits are PyTorch's", async () => {
    const [inf, tiny] = [Infinity, 1e-6];
    const results: [Tensor, number[]][] = [
      [hypot(tensor([3e30, 0, -inf, NaN]), tensor([4e30, 0, 1, 1])), [5e30, 0, inf, NaN]],
      [logAddExp(tensor([-inf, inf, 100, NaN]), tensor([-inf, 1, 100, 0])), [-inf, inf, 100 + Math.LN2, NaN]],
      [xlogy(tensor([0, 0, 2]), tensor([0, NaN, 0])), [0, NaN, -inf]],
      [sinc(tensor([0])), [1]],
      [sinh(tensor([tiny, 100, -100])), [tiny, inf, -inf]],
      [asinh(tensor([-tiny, 1e30, -inf])), [-tiny, Math.asinh(1e30), -inf]],
      // 2.0884876e-45 would be 0 in f32 at 10; at 5 it is 1.5374598e-12 (Abramowitz & Stegun, table 7.1 and beyond)
      [erfc(tensor([5, -5, NaN])), [1.5374598e-12, 2, NaN]],
      [heaviside(tensor([-1, 0, 2, NaN]), 0.5), [0, 0.5, 1, NaN]],
      [logit(tensor([0, 1, 0.5]), 1e-6), [-13.81551, 13.82, 0]],
    ];
    await realize(results.map(([y]) => y));
    for (const [y, expected] of results) {
      const found = await values(y);
      // 1 − 1e-6 has four digits of its 1e-6 left in f32
      expected.forEach((e, i) => {
        const near = found[i] === e || (Number.isNaN(e) && Number.isNaN(found[i]));
        expect(near || Math.abs((found[i] ?? NaN) - e) <= 5e-3 * Math.abs(e) + 1e-30, `${found[i]} for ${e}`).toBe(
          true,
        );
      });
    }
  });

  test("isClose takes its tolerances as PyTorch does", async () => {
    const a = tensor([1, 1, Infinity, Infinity, NaN, 0]);
    const b = tensor([1.000001, 1.1, Infinity, -Infinity, NaN, 1e-9]);
    const results = [
      isClose(a, b),
      isClose(a, b, { relative: 0.2 }),
      isClose(a, b, { equalNan: true }),
      allClose(a, b),
      allClose(tensor([1, 2]), tensor([1, 2.000001])),
      allClose(zeros([0]), zeros([0])),
      isClose(tensor([1, 2], { dtype: "i32" }), tensor([1, 3], { dtype: "i32" })),
    ];
    await realize(results);
    expect(await Promise.all(results.map(values))).toEqual([
      [1, 0, 1, 0, 0, 1],
      [1, 1, 1, 0, 0, 1],
      [1, 0, 1, 0, 1, 1],
      [0],
      [1],
      [1],
      [1, 0],
    ]);
    expect(() => isClose(tensor([1]), zeros([1], "i32"))).toThrow(DTypeError);
    expect(() => allClose(zeros([2]), zeros([3]))).toThrow(ShapeError);
    expect(() => erfc(zeros([2], "i32"))).toThrow(DTypeError);
  });
});
