import { describe, expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { tensor, zeros } from "../tensor/tensor.ts";
import { describeOp } from "../testing/describe-op.ts";
import { expectClose, ROUNDING } from "../testing/allclose.ts";
import { numericGradient } from "../testing/gradcheck.ts";
import { at, build, sample, sum, type Nd } from "../testing/nd.ts";
import { softmax } from "../testing/reference.ts";
import { crossEntropy, mseLoss } from "./losses.ts";

describeOp("mseLoss", (a, b) => mseLoss(a, b), {
  cases: [
    { a: [3, 5], b: [3, 5] },
    { a: [8], b: [8] },
    { a: [], b: [] },
  ],
  reference: (a, b) =>
    build([], () => sum(a.data.length, (i) => ((a.data[i] ?? 0) - (b.data[i] ?? 0)) ** 2) / a.data.length),
  tolerance: ROUNDING,
  throws: [[{ a: [2, 1], b: [2] }, "mseLoss: shapes must agree, got [2, 1] and [2]"]],
});

describe("crossEntropy", () => {
  const CLASSES = [2, 0, 4, 1];
  const reference = (x: Nd): Nd =>
    build([], () => -sum(CLASSES.length, (i) => Math.log(at(softmax(x), [i, CLASSES[i] ?? 0]))) / CLASSES.length);

  test("is the mean negative log likelihood, with its gradient", async () => {
    const x = sample([4, 5], 3, -3, 3);
    const logits = tensor(Float32Array.from(x.data), { shape: x.shape });
    const loss = crossEntropy(logits, tensor(CLASSES, { dtype: "i32" }));
    const [dx] = grad(loss, [logits]);
    await expectClose(loss, reference(x), { absolute: 4e-6, relative: 4e-6 });
    const numeric = numericGradient(
      ([given = x]) => reference(given),
      [x],
      0,
      build([], () => 1),
    );
    if (dx) await expectClose(dx, numeric, { absolute: 4e-6, relative: 4e-6 });
  });

  test("is log C where nothing is known, and finite where the class is all but ruled out", async () => {
    const ids = tensor([3], { dtype: "i32" });
    expect(await crossEntropy(zeros([1, 8]), ids).item()).toBeCloseTo(Math.log(8), 5);
    expect(await crossEntropy(tensor([[100, 0, 0, -100]]), ids).item()).toBeCloseTo(200, 3);
  });

  test("refuses shapes that do not fit", () => {
    expect(() => crossEntropy(zeros([4, 5]), tensor([1], { dtype: "i32" }))).toThrow(
      "crossEntropy: logits [N, C] and ids [N] must share N, got [4, 5] and [1]",
    );
  });
});
