import { expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { type Tolerance } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { at, build, sum } from "../testing/nd.ts";
import { linear } from "./linear.ts";

// sums of at most 40 products of numbers below 1
const SUMS: Tolerance = { absolute: 5e-6, relative: 1e-6 };

describeOp("linear", linear, {
  cases: [
    { x: [5, 7], weight: [3, 7], bias: [3] },
    { x: [8, 16], weight: [4, 16], bias: [4] },
    { x: [2, 3, 9], weight: [2, 9] },
    { x: [9], weight: [5, 9], bias: [5] },
    { x: [0, 4], weight: [3, 4], bias: [3] },
    { x: [3, 0], weight: [2, 0], bias: [2] },
    { x: [2, 3], weight: [0, 3], bias: [0] },
  ],
  reference: (x, weight, bias) => {
    const [out = 0, inner = 0] = weight.shape;
    return build([...x.shape.slice(0, -1), out], (index) => {
      const lead = index.slice(0, -1);
      const o = index.at(-1) ?? 0;
      return sum(inner, (i) => at(x, [...lead, i]) * at(weight, [o, i])) + (bias ? at(bias, [o]) : 0);
    });
  },
  tolerance: SUMS,
  gradientTolerance: { absolute: 2e-5, relative: 1e-5 },
  throws: [
    [{ x: [2, 3], weight: [4, 5] }, "linear: x [..., in] and weight [out, in] must share in, got [2, 3] and [4, 5]"],
    [{ x: [2, 3], weight: [3] }, "linear: x [..., in] and weight [out, in] must share in, got [2, 3] and [3]"],
    [{ x: [2, 3], weight: [4, 3], bias: [3] }, "linear: bias must have shape [4], got [3]"],
  ],
});

test("a bias of nothing summed still has its gradient", async () => {
  const bias = tensor([1, 2]);
  const [db] = grad(linear(zeros([3, 0]), zeros([2, 0]), bias), [bias]);
  expect(await db?.data()).toEqual(Float32Array.of(3, 3));
});
