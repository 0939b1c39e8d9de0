import { expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { realize } from "../tensor/tensor.ts";
import { type Tolerance } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { zip } from "../testing/reference.ts";
import { bceLoss, gaussianNllLoss, poissonNllLoss } from "./likelihood-losses.ts";

// logarithms to 4e-6, divided by variances of 0.1 and more
const LOGARITHMS: Tolerance = { absolute: 1e-5, relative: 1e-5 };
const common = { tolerance: LOGARITHMS, range: [0.1, 0.9] as const };

describeOp("bceLoss", (p, y) => bceLoss(p, y, { reduction: "none" }), {
  cases: [{ p: [3, 4], y: [3, 4] }],
  reference: (p, y) => zip((q, t) => -t * Math.log(q) - (1 - t) * Math.log(1 - q), p, y),
  ...common,
  throws: [[{ p: [2], y: [3] }, "bceLoss: shapes must agree, got [2] and [3]"]],
});
describeOp("poissonNllLoss", (x, y) => poissonNllLoss(x, y, { reduction: "none" }), {
  cases: [{ x: [5], y: [5] }],
  reference: (x, y) => zip((v, t) => Math.exp(v) - t * v, x, y),
  ...common,
});
describeOp("poissonNllLoss of rates", (x, y) => poissonNllLoss(x, y, { logInput: false, reduction: "none" }), {
  cases: [{ x: [5], y: [5] }],
  reference: (x, y) => zip((v, t) => v - t * Math.log(v + 1e-8), x, y),
  ...common,
});
describeOp("gaussianNllLoss", (x, y, v) => gaussianNllLoss(x, y, v, { reduction: "none" }), {
  cases: [{ x: [3, 4], y: [3, 4], v: [3, 1] }],
  reference: (x, y, v) => zip((a, b, s) => (Math.log(s) + (a - b) ** 2 / s) / 2, x, y, v),
  ...common,
});

test("bceLoss of certain probabilities is PyTorch's 100 at most, and its gradient finite", async () => {
  const p = tensor([0, 1, 0, 1]);
  const y = bceLoss(p, tensor([1, 0, 0, 1]), { reduction: "none" });
  const [dp = zeros([])] = grad(y, [p]);
  await realize([y, dp]);
  expect([...(await y.data())]).toEqual([100, 100, 0, 0]);
  expect([...(await dp.data())].every(Number.isFinite)).toBe(true);
});
