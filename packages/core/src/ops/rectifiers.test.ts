import { describe, expect, test } from "vitest";
import { tensor, zeros } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { ROUNDING, type Tolerance } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { at, build } from "../testing/nd.ts";
import { zip } from "../testing/reference.ts";
import {
  celu,
  hardshrink,
  hardsigmoid,
  hardswish,
  prelu,
  selu,
  softshrink,
  softsign,
  tanhshrink,
  threshold,
} from "./rectifiers.ts";

// exponentials to 4e-6
const EXPONENTIALS: Tolerance = { absolute: 8e-6, relative: 8e-6 };
const hard = (x: number): number => Math.min(6, Math.max(0, x + 3)) / 6;

const formulas: [string, (x: Tensor) => Tensor, (x: number) => number, Tolerance][] = [
  ["hardsigmoid", hardsigmoid, hard, ROUNDING],
  ["hardswish", hardswish, (x) => x * hard(x), ROUNDING],
  ["hardshrink", (x) => hardshrink(x, 1), (x) => (Math.abs(x) <= 1 ? 0 : x), ROUNDING],
  ["softshrink", (x) => softshrink(x, 1), (x) => Math.sign(x) * Math.max(0, Math.abs(x) - 1), ROUNDING],
  ["tanhshrink", tanhshrink, (x) => x - Math.tanh(x), EXPONENTIALS],
  ["softsign", softsign, (x) => x / (1 + Math.abs(x)), ROUNDING],
  ["threshold", (x) => threshold(x, 0.5, -2), (x) => (x > 0.5 ? x : -2), ROUNDING],
  ["celu", (x) => celu(x, 1.7), (x) => (x > 0 ? x : 1.7 * Math.expm1(x / 1.7)), EXPONENTIALS],
  // Klambauer et al., eq. 14
  ["selu", selu, (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x)), EXPONENTIALS],
];
for (const [name, op, value, tolerance] of formulas)
  describeOp(name, op, {
    cases: [{ x: [3, 5] }, { x: [0, 2] }],
    reference: (x) => zip(value, x),
    tolerance,
    range: [-4, 4],
  });

describeOp("prelu", prelu, {
  cases: [
    { x: [2, 3, 4], weight: [3] },
    { x: [2, 3], weight: [3] },
    { x: [2, 3, 2], weight: [1] },
    { x: [5], weight: [] },
  ],
  reference: (x, weight) =>
    build(x.shape, (index) => {
      const value = at(x, index);
      return value > 0 ? value : value * at(weight, weight.data.length > 1 ? [index[1] ?? 0] : []);
    }),
  tolerance: ROUNDING,
  throws: [[{ x: [2, 3], weight: [2] }, "prelu: weight must be one number or [3], got [2] for x [2, 3]"]],
});

describe("rectifiers", () => {
  test("pass NaN on, and their limits", async () => {
    const x = tensor([NaN, -Infinity, Infinity]);
    const results = [hardsigmoid(x), softshrink(x), hardshrink(x), threshold(x, 0, 1), celu(x), prelu(x, tensor(0.5))];
    await realize(results);
    expect(await Promise.all(results.map(async (y) => [...(await y.data())]))).toEqual([
      [NaN, 0, 1],
      [NaN, -Infinity, Infinity],
      [NaN, -Infinity, Infinity],
      [NaN, 1, Infinity],
      [NaN, -1, Infinity],
      [NaN, -Infinity, Infinity],
    ]);
    expect(selu(zeros([])).shape).toEqual([]);
  });
});
