import { expect, test } from "vitest";
import { tensor, zeros } from "../tensor/create.ts";
import { type Tolerance } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { zip, softmax as reference } from "../testing/reference.ts";
import { logSoftmax, softmax } from "./softmax.ts";

// exp to 3 + 2|x| units in the last place at |x| ≤ 8
const EXPONENTIALS: Tolerance = { absolute: 4e-6, relative: 4e-6 };
const CASES = [{ x: [3, 5] }, { x: [2, 3, 8] }, { x: [4, 1] }, { x: [70] }, { x: [0, 3] }, { x: [2, 0] }];

describeOp("softmax", (x) => softmax(x), { cases: CASES, reference, tolerance: EXPONENTIALS, range: [-4, 4] });
describeOp("logSoftmax", (x) => logSoftmax(x), {
  cases: CASES,
  reference: (x) => zip(Math.log, reference(x)),
  tolerance: EXPONENTIALS,
  range: [-4, 4],
});

test("softmax sums to one along any axis", async () => {
  const x = tensor([
    [1, 2, 3],
    [4, 6, 8],
  ]);
  const sums = await softmax(x, { axis: 0 }).sum({ axis: 0 }).data();
  for (const s of sums) expect(s).toBeCloseTo(1, 6);
  expect(() => softmax(x, { axis: 2 })).toThrow("softmax: axis must be in [-2, 1] for 2 dimensions, got 2");
  expect(() => logSoftmax(zeros([2]), { axis: -2 })).toThrow("logSoftmax: axis must be in [-1, 0]");
});

test("large and masked scores stay finite", async () => {
  const x = tensor([1e4, 1e4 - 1, -1e4, -Infinity]);
  const p = await softmax(x).data();
  const e = 1 / (1 + Math.exp(-1));
  expect([...p].map((v) => v.toFixed(5))).toEqual([e, 1 - e, 0, 0].map((v) => v.toFixed(5)));
  expect((await logSoftmax(x).data())[2]).toBeCloseTo(-2e4 + Math.log(e), 1);
});
