import { describe, expect, test } from "vitest";
import { DTypeError } from "../base/errors.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { EXACT, ROUNDING } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { at, build, sum, withAxis, type Nd } from "../testing/nd.ts";
import { cummax, cummin, logCumSumExp } from "./running.ts";

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];

/** f of the elements up to each along an axis. */
const upTo = (x: Nd, axis: number, f: (row: readonly number[]) => number): Nd =>
  build(x.shape, (index) =>
    f(Array.from({ length: (index[axis] ?? 0) + 1 }, (_, i) => at(x, withAxis(index, axis, i)))),
  );
const cases = [{ x: [2, 7] }, { x: [3, 1] }, { x: [0, 3] }, { x: [3, 0] }];
const MOVED = { tolerance: EXACT, gradientTolerance: ROUNDING } as const;

describeOp("cummax", (x) => cummax(x).values, {
  cases,
  reference: (x) => upTo(x, 1, (row) => Math.max(...row)),
  ...MOVED,
  throws: [[{ x: [] }, "cummax: x must have an axis, got []"]],
});
describeOp("cummin of axis -2", (x) => cummin(x, -2).values, {
  cases: [{ x: [2, 5, 3] }],
  reference: (x) => upTo(x, 1, (row) => Math.min(...row)),
  ...MOVED,
});
describeOp("logCumSumExp", (x) => logCumSumExp(x, 1), {
  cases,
  reference: (x) => upTo(x, 1, (row) => Math.log(sum(row.length, (i) => Math.exp(row[i] ?? 0)))),
  // exponentials and logarithms to 4e-6
  tolerance: { absolute: 8e-6, relative: 8e-6 },
  range: [-3, 3],
});

describe("running extremes", () => {
  test("are at the last of equal elements, and NaN from the first NaN on", async () => {
    const found = cummax(tensor([1, 3, 3, 2, NaN, 5]));
    const low = cummin(tensor([1, 1, 0]));
    await realize([found.values, found.indices, low.indices]);
    expect([await values(found.values), await values(found.indices), await values(low.indices)]).toEqual([
      [1, 3, 3, 3, NaN, NaN],
      [0, 1, 2, 2, 4, 4],
      [0, 1, 2],
    ]);
    expect(() => cummax(zeros([2], "i32"))).toThrow(DTypeError);
  });

  test("logCumSumExp neither overflows nor forgets small beginnings", async () => {
    const y = logCumSumExp(tensor([-Infinity, -200, -200, 300, 300, -Infinity, Infinity]));
    const found = await values(y);
    [-Infinity, -200, -200 + Math.LN2, 300, 300 + Math.LN2, 300 + Math.LN2, Infinity].forEach((e, i) =>
      expect(found[i]).toBeCloseTo(e, 3),
    );
  });
});
