import { describe, expect, test } from "vitest";
import { DTypeError } from "../base/errors.ts";
import { grad } from "../autograd/grad.ts";
import { arange, tensor, zeros } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { EXACT, ROUNDING, type Tolerance } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { at, build, sum, withAxis, type Nd } from "../testing/nd.ts";
import {
  diagonal,
  gather,
  indexAdd,
  indexSelect,
  maskedFill,
  oneHot,
  scatter,
  scatterAdd,
  trace,
  tril,
  triu,
} from "./indexing.ts";

// values are moved, or at most six of them added
const MOVED: { tolerance: Tolerance; gradientTolerance: Tolerance } = { tolerance: EXACT, gradientTolerance: ROUNDING };

const ids = (...values: number[]): Tensor => tensor(values, { dtype: "i32" });
const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];

/** Counted from the front; NaN outside of the axis. */
const front = (id: number, n: number): number => {
  const i = id < 0 ? id + n : id;
  return i >= 0 && i < n ? i : NaN;
};
const atOrZero = (x: Nd, index: readonly number[]): number => (index.some(Number.isNaN) ? 0 : at(x, index));

const IDS = [2, -1, 0, 2, 9, -7];
function selected(x: Nd, axis: number): Nd {
  const n = x.shape[axis] ?? 0;
  return build(withAxis(x.shape, axis, IDS.length), (index) =>
    atOrZero(x, withAxis(index, axis, front(IDS[index[axis] ?? 0] ?? 0, n))),
  );
}
describeOp("indexSelect", (x) => indexSelect(x, 0, ids(...IDS)), {
  cases: [{ x: [4, 3] }, { x: [5] }, { x: [1, 2] }, { x: [0, 2] }],
  reference: (x) => selected(x, 0),
  ...MOVED,
});
describeOp("indexSelect of axis -2", (x) => indexSelect(x, -2, ids(...IDS)), {
  cases: [{ x: [2, 4, 3] }, { x: [2, 4, 0] }],
  reference: (x) => selected(x, 1),
  ...MOVED,
  throws: [[{ x: [3] }, "indexSelect: axis must be in [-1, 0] for 1 dimensions, got -2"]],
});

describeOp("indexAdd", (x, source) => indexAdd(x, 1, ids(...IDS), source), {
  cases: [
    { x: [2, 4, 3], source: [2, 6, 3] },
    { x: [3, 1], source: [3, 6] },
    { x: [0, 4], source: [0, 6] },
  ],
  reference: (x, source) => {
    const n = x.shape[1] ?? 0;
    return build(
      x.shape,
      (index) =>
        at(x, index) +
        sum(IDS.length, (i) => (front(IDS[i] ?? 0, n) === index[1] ? at(source, withAxis(index, 1, i)) : 0)),
    );
  },
  tolerance: ROUNDING,
  throws: [
    [{ x: [2, 4], source: [2, 5] }, "indexAdd: source must be [2, 6] for ids [m], got [2, 5] and [6]"],
    [{ x: [2, 4], source: [1, 6] }, "indexAdd: source must be [2, 6] for ids [m], got [1, 6] and [6]"],
  ],
});

// [2, 3], shorter than x in both axes; twice the same place, one from the back, one outside
const PLACES = [
  [0, -1, 0],
  [3, 3, 4],
];
const places = tensor(PLACES, { dtype: "i32" });
/** Along axis 1 of [.., n]. */
const target = (i: number, j: number, n: number): number => front(PLACES[i]?.[j] ?? NaN, n);

describeOp("gather", (x) => gather(x, 1, places), {
  cases: [{ x: [3, 4] }, { x: [2, 1] }],
  reference: (x) => build([2, 3], ([i = 0, j = 0]) => atOrZero(x, [i, target(i, j, x.shape[1] ?? 0)])),
  ...MOVED,
  throws: [
    [{ x: [1, 4] }, "gather: indices must have x's axes and, but in axis 1, be no longer, got [2, 3] for [1, 4]"],
    [{ x: [2, 4, 1] }, "gather: indices must have x's axes"],
  ],
});
describeOp("gather of axis -2", (x) => gather(x, -2, places.transpose()), {
  cases: [{ x: [4, 5] }],
  reference: (x) => build([3, 2], ([j = 0, i = 0]) => atOrZero(x, [target(i, j, x.shape[0] ?? 0), i])),
  ...MOVED,
});
describeOp("scatterAdd", (x, source) => scatterAdd(x, 1, places, source), {
  cases: [
    { x: [3, 4], source: [2, 3] },
    { x: [2, 5], source: [4, 4] },
  ],
  reference: (x, source) =>
    build(
      x.shape,
      ([i = 0, c = 0]) =>
        at(x, [i, c]) + sum(i < 2 ? 3 : 0, (j) => (target(i, j, x.shape[1] ?? 0) === c ? at(source, [i, j]) : 0)),
    ),
  tolerance: ROUNDING,
  throws: [
    [
      { x: [3, 4], source: [2, 2] },
      "scatterAdd: source must be at least as long as the indices, got [2, 2] and [2, 3]",
    ],
    [{ x: [1, 4], source: [2, 3] }, "scatterAdd: indices must have x's axes"],
  ],
});
describeOp("scatter", (x, source) => scatter(x, 1, places, source), {
  cases: [
    { x: [3, 4], source: [2, 3] },
    { x: [2, 5], source: [4, 4] },
  ],
  reference: (x, source) =>
    build(x.shape, ([i = 0, c = 0]) => {
      const writer = [2, 1, 0].find((j) => i < 2 && target(i, j, x.shape[1] ?? 0) === c);
      return writer === undefined ? at(x, [i, c]) : at(source, [i, writer]);
    }),
  ...MOVED,
  throws: [[{ x: [3, 4], source: [1, 3] }, "scatter: source must be at least as long as the indices"]],
});

describeOp("tril and triu", (x) => tril(x, 1).add(triu(x, -1).mul(2)), {
  cases: [{ x: [2, 4, 3] }, { x: [3, 5] }, { x: [1, 1] }, { x: [0, 2] }],
  reference: (x) =>
    build(x.shape, (index) => {
      const [i = 0, j = 0] = index.slice(-2);
      return at(x, index) * ((j - i <= 1 ? 1 : 0) + (j - i >= -1 ? 2 : 0));
    }),
  tolerance: ROUNDING,
  throws: [[{ x: [3] }, "tril: x must be [..., rows, columns], got [3]"]],
});
for (const offset of [0, 1, -2])
  describeOp(`diagonal ${offset}`, (x) => diagonal(x, offset), {
    cases: [{ x: [2, 3, 5] }, { x: [4, 2] }, { x: [1, 1] }, { x: [0, 3] }],
    reference: (x) => {
      const [rows = 0, columns = 0] = x.shape.slice(-2);
      const [top, left] = [Math.max(0, -offset), Math.max(0, offset)];
      const length = Math.max(0, Math.min(rows - top, columns - left));
      return build([...x.shape.slice(0, -2), length], (index) => {
        const i = index.at(-1) ?? 0;
        return at(x, [...index.slice(0, -1), i + top, i + left]);
      });
    },
    ...MOVED,
    throws: [[{ x: [3] }, "diagonal: x must be [..., rows, columns], got [3]"]],
  });
describeOp("trace", (x) => trace(x), {
  cases: [{ x: [2, 3, 5] }, { x: [4, 4] }, { x: [0, 0] }],
  reference: (x) =>
    build(x.shape.slice(0, -2), (index) => sum(Math.min(...x.shape.slice(-2)), (i) => at(x, [...index, i, i]))),
  tolerance: ROUNDING,
});

describe("indexing", () => {
  test("takes whole numbers and bools as they are, ids of u32, and a single id", async () => {
    const whole = arange(6, { dtype: "i32" }).reshape([3, 2]);
    const flags = tensor([1, 0, 1], { dtype: "bool" });
    const one = indexSelect(whole, 0, ids(1).reshape([]));
    const results = [
      indexSelect(whole, 0, tensor([2, 0], { dtype: "u32" })),
      indexSelect(flags, 0, ids(1, 2)),
      gather(whole, 0, ids(2, 1).reshape([1, 2])),
      scatter(whole, 0, ids(1, -1).reshape([1, 2]), 9),
      one,
    ];
    await realize(results);
    expect(results.map((y) => y.dtype)).toEqual(["i32", "bool", "i32", "i32", "i32"]);
    expect(await Promise.all(results.map(values))).toEqual([
      [4, 5, 0, 1],
      [0, 1],
      [4, 3],
      [0, 1, 9, 3, 4, 9],
      [2, 3],
    ]);
    expect(one.shape).toEqual([1, 2]);
  });

  test("of no ids is empty or leaves x alone", async () => {
    const x = tensor([[1, 2]]);
    expect(indexSelect(x, 1, ids()).shape).toEqual([1, 0]);
    expect(gather(x, 1, ids().reshape([1, 0])).shape).toEqual([1, 0]);
    const y = [indexAdd(x, 1, ids(), zeros([1, 0])), scatterAdd(x, 1, ids().reshape([1, 0]), zeros([1, 0]))];
    y.push(scatter(x, 1, ids().reshape([1, 0]), 3));
    await realize(y);
    for (const t of y) expect(await values(t)).toEqual([1, 2]);
  });

  test("scatter leaves ids outside of the axis out, and gives overwritten elements no gradient", async () => {
    const [x, source] = [tensor([1, 2, 3]), tensor([10, 20, 30, 40])];
    const y = scatter(x, 0, ids(1, 3, 1, -4), source);
    const [dx = zeros([]), ds = zeros([])] = grad(y, [x, source], tensor([1, 2, 3]));
    await realize([y, dx, ds]);
    expect([await values(y), await values(dx), await values(ds)]).toEqual([
      [1, 30, 3],
      [1, 0, 3],
      [0, 0, 2, 0],
    ]);
  });

  test("maskedFill takes the value where the mask holds, and stops the gradient there", async () => {
    const x = tensor([
      [1, 2],
      [3, NaN],
    ]);
    const y = maskedFill(x, tensor([0, 1], { dtype: "bool" }), -5);
    const [dx = zeros([])] = grad(y, [x]);
    expect([await values(y), await values(dx)]).toEqual([
      [1, -5, 3, -5],
      [1, 0, 1, 0],
    ]);
  });

  test("oneHot has a row an id, of zeros for ids that are no class", async () => {
    const y = oneHot(tensor([[2], [0], [3], [-1]], { dtype: "i32" }), 3);
    expect([y.shape, y.dtype]).toEqual([[4, 1, 3], "i32"]);
    expect(await values(y)).toEqual([0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test.each<[string, () => unknown, string]>([
    [
      "ids that are not whole",
      () => indexSelect(zeros([3]), 0, tensor([1])),
      "indexSelect: indices must be i32, got f32; cast them",
    ],
    ["the same of gather", () => gather(zeros([3]), 0, tensor([1])), "gather: indices must be i32, got f32"],
    ["the same of oneHot", () => oneHot(tensor([1]), 3), "oneHot: indices must be i32, got f32"],
    [
      "sums of whole numbers",
      () => indexAdd(zeros([3], "i32"), 0, ids(1), ids(1)),
      "indexAdd: input must be f32, got i32",
    ],
    [
      "a source of whole numbers",
      () => indexAdd(zeros([3]), 0, ids(1), ids(1)),
      "indexAdd: input must be f32, got i32",
    ],
    [
      "the same of scatterAdd",
      () => scatterAdd(zeros([3]), 0, ids(1), ids(1)),
      "scatterAdd: input must be f32, got i32",
    ],
    [
      "another dtype's elements",
      () => scatter(ids(1, 2), 0, ids(1), tensor([1], { dtype: "u32" })),
      "where: operands must share a dtype, got u32 and i32",
    ],
  ])("refuses %s", (_, make, message) => {
    expect(make).toThrow(DTypeError);
    expect(make).toThrow(message);
  });

  test("refuses ids of a wrong rank", () => {
    expect(() => indexSelect(zeros([3]), 0, ids(1).reshape([1, 1]))).toThrow(
      "indexSelect: ids must be [m], got [1, 1]",
    );
    expect(() => gather(zeros([3]), 1, ids(1))).toThrow("gather: axis must be in [-1, 0] for 1 dimensions, got 1");
    expect(() => triu(zeros([]))).toThrow("triu: x must be [..., rows, columns], got []");
  });
});
