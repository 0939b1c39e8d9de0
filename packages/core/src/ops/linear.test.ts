import { expect, test } from "vitest";
import { topologicalOrder } from "../graph/node.ts";
import { SOFTWARE_TRAITS } from "../kernels/traits.fixture.ts";
import { planGraph } from "../schedule/planner.ts";
import { Rng } from "../tensor/random.ts";
import { grad } from "../autograd/grad.ts";
import { tensor, zeros } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
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

const leaf = (shape: number[], dtype: "f32" | "f16" | "bf16"): Tensor =>
  tensor(new Float32Array(shape.reduce((n, s) => n * s, 1)), { shape, dtype });
const labels = (t: Tensor): string[] =>
  planGraph(topologicalOrder([t.node]), [t.node], SOFTWARE_TRAITS).steps.map(({ label }) => label);

test("stored halves are read by the product itself", () => {
  for (const dtype of ["f16", "bf16"] as const) {
    expect(labels(linear(leaf([4, 8], "f32"), leaf([6, 8], dtype), leaf([6], "f32")))).toEqual(["matmul"]);
    expect(labels(leaf([3, 4, 8], dtype).matmul(leaf([3, 8, 5], "f32")))).toEqual(["matmul"]);
    expect(labels(leaf([1, 4], "f32").matmul(leaf([6, 8], dtype).slice(1, 2, 6).transpose()))).toEqual(["matmul"]);
    // what a plan computes keeps the precision of an f32 in it
    expect(labels(linear(leaf([4, 8], "f32").exp().cast(dtype), leaf([6, 8], dtype)))).toHaveLength(3);
  }
});

test.each([
  ["f16", 1, 33, 40],
  ["bf16", 1, 7, 31],
  ["f16", 13, 36, 24],
  ["f16", 9, 17, 23],
  ["bf16", 34, 8, 64],
] as const)("a %s weight, %i rows by [%i, %i], gives what it gives widened first", async (dtype, m, n, k) => {
  const rng = new Rng(m);
  const x = await rng.normal([m, k]).realize();
  const weight = await rng.normal([n, k]).cast(dtype).realize();
  const wide = await weight.cast("f32").realize();
  expect(await linear(x, weight).data()).toEqual(await linear(x, wide).data());
  // as the left operand, its columns next to each other
  const turned = await weight.matmul(x.transpose()).realize();
  expect(await turned.data()).toEqual(await wide.matmul(x.transpose()).data());
});
