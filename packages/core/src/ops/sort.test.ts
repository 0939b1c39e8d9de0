import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tensor, zeros } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { EXACT, expectClose, ROUNDING } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { at, build, sample, withAxis, type Nd } from "../testing/nd.ts";
import { argsort, sort, topk } from "./sort.ts";

/** Array.prototype.sort along an axis, cut to `length`. */
function sorted(x: Nd, axis: number, order: (a: number, b: number) => number, length = x.shape[axis] ?? 0): Nd {
  return build(withAxis(x.shape, axis, length), (index) => {
    const row = Array.from({ length: x.shape[axis] ?? 0 }, (_, i) => at(x, withAxis(index, axis, i)));
    return row.sort(order)[index[axis] ?? 0] ?? NaN;
  });
}
const rising = (a: number, b: number): number => a - b;
const falling = (a: number, b: number): number => b - a;
const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];

// values are moved, not computed
const MOVED = { tolerance: EXACT, gradientTolerance: ROUNDING } as const;
describeOp("sort", (x) => sort(x).values, {
  cases: [{ x: [3, 7] }, { x: [4, 1] }, { x: [0, 3] }, { x: [3, 0] }],
  reference: (x) => sorted(x, 1, rising),
  ...MOVED,
});
describeOp("sort, descending, of axis -2", (x) => sort(x, { axis: -2, descending: true }).values, {
  cases: [{ x: [2, 5, 3] }],
  reference: (x) => sorted(x, 1, falling),
  ...MOVED,
});
describeOp("topk", (x) => topk(x, 2, { axis: 0 }).values, {
  cases: [{ x: [5, 3] }, { x: [2, 1] }],
  reference: (x) => sorted(x, 0, falling, 2),
  ...MOVED,
  throws: [[{ x: [1, 3] }, "topk: k must be a whole number in [0, 1], the length of axis 0, got 2"]],
});
describeOp("topk of the smallest", (x) => topk(x, 3, { largest: false }).values, {
  cases: [{ x: [2, 5] }],
  reference: (x) => sorted(x, 1, rising, 3),
  ...MOVED,
});

describe("sort", () => {
  test("is JavaScript's, with the positions", async () => {
    const float = fc.float({ noNaN: true, noDefaultInfinity: true });
    await fc.assert(
      fc.asyncProperty(fc.array(float, { minLength: 1, maxLength: 40 }), fc.boolean(), async (list, descending) => {
        const order = descending ? falling : rising;
        const found = sort(tensor(list), { descending });
        await realize([found.values, found.indices]);
        // + 0: −0 equals 0
        expect((await values(found.values)).map((v) => v + 0)).toEqual(list.toSorted(order).map((v) => v + 0));
        // JavaScript's sort is stable
        const places = list.map((_, i) => i).sort((a, b) => order(list[a] ?? 0, list[b] ?? 0));
        expect(await values(found.indices)).toEqual(places);
      }),
      { seed: 3, numRuns: 20 },
    );
  });

  test("of a scalar is the scalar, at position 0", async () => {
    const { values: y, indices } = sort(tensor(3));
    expect([await y.item(), await indices.item()]).toEqual([3, 0]);
    expect([y.shape, indices.shape]).toEqual([[], []]);
  });

  test("agrees with its own indices on scattered input", async () => {
    const x = sample([4, 6], 5);
    const t = tensor(Float32Array.from(x.data), { shape: x.shape }).transpose();
    const order = argsort(t, { axis: 0 });
    expect([order.dtype, order.shape]).toEqual(["i32", [6, 4]]);
    const places = await order.data();
    const expected = sorted({ shape: [6, 4], data: build([6, 4], ([i = 0, j = 0]) => at(x, [j, i])).data }, 0, rising);
    await expectClose(sort(t, { axis: 0 }).values, expected, EXACT);
    expected.data.forEach((v, i) => expect(at(x, [i % 4, places[i] ?? NaN])).toBe(v));
  });

  test("refuses axes that are not there, and topk what is not a count", () => {
    expect(() => argsort(zeros([2, 3]), { axis: 2 })).toThrow("argsort: axis must be in [-2, 1]");
    expect(() => topk(zeros([4]), 1.5)).toThrow("topk: k must be a whole number in [0, 4]");
    expect(() => topk(zeros([4]), -1)).toThrow("topk: k must be a whole number in [0, 4]");
    expect(topk(zeros([4]), 0).values.shape).toEqual([0]);
  });
});
