import { describe, expect, test } from "vitest";
import { DTypeError, ShapeError } from "../base/errors.ts";
import { grad } from "../autograd/grad.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { EXACT, ROUNDING } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { at, build, type Nd } from "../testing/nd.ts";
import { index, indexPut } from "./advanced-indexing.ts";

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];
const ids = (rows: number[] | number[][]): Tensor => tensor(rows, { dtype: "i32" });

// [2, 1] and [3] broadcast to [2, 3]; one from the back, one outside, and the place (2, 1) twice
const ROWS = [[0], [2]];
const COLUMNS = [1, -3, 9];
const element = (x: Nd, place: readonly (number | undefined)[], n: readonly number[]): number => {
  const index = place.map((i = 0, a) => (i < 0 ? i + (n[a] ?? 0) : i));
  return index.some((i, a) => i >= (n[a] ?? 0)) ? 0 : at(x, index);
};

describeOp("index of axes side by side", (x) => index(x, [null, ids(ROWS), ids(COLUMNS)]), {
  cases: [{ x: [2, 3, 4, 5] }, { x: [1, 3, 4] }, { x: [0, 3, 4] }],
  reference: (x) => {
    const [b = 0, n = 0, m = 0, ...rest] = x.shape;
    return build([b, 2, 3, ...rest], ([h, i = 0, j = 0, ...others]) =>
      element(x, [h, ROWS[i]?.[0], COLUMNS[j], ...others], [b, n, m, ...rest]),
    );
  },
  tolerance: EXACT,
  gradientTolerance: ROUNDING,
  throws: [[{ x: [3, 4] }, "index: must have at most 2 indices for [3, 4], got 3"]],
});
describeOp("index of axes apart, whose results come first", (x) => index(x, [ids(ROWS), null, ids(COLUMNS)]), {
  cases: [{ x: [3, 2, 4] }, { x: [3, 1, 4, 2] }],
  reference: (x) => {
    const [n = 0, b = 0, m = 0, ...rest] = x.shape;
    return build([2, 3, b, ...rest], ([i = 0, j = 0, h, ...others]) =>
      element(x, [ROWS[i]?.[0], h, COLUMNS[j], ...others], [n, b, m, ...rest]),
    );
  },
  tolerance: EXACT,
  gradientTolerance: ROUNDING,
});

const PAIRS = [
  [0, 1],
  [2, -1],
  [2, 3],
  [-4, 0],
  [0, 7],
];
const pairs = [0, 1].map((i) => ids(PAIRS.map((p) => p[i] ?? 0)));
/** Which of the pairs write an element, in order. */
const writers = (i: number, j: number): number[] =>
  PAIRS.flatMap(([a = 0, b = 0], k) => ((a < 0 ? a + 3 : a) === i && (b < 0 ? b + 4 : b) === j ? [k] : []));
describeOp("indexPut", (x, source) => indexPut(x, pairs, source), {
  cases: [
    { x: [3, 4, 2], source: [5, 2] },
    { x: [3, 4], source: [5] },
    { x: [3, 4, 2], source: [1] },
  ],
  reference: (x, source) =>
    build(x.shape, ([i = 0, j = 0, ...rest]) => {
      const last = writers(i, j).at(-1);
      return last === undefined ? at(x, [i, j, ...rest]) : at(source, [last, ...rest]);
    }),
  tolerance: EXACT,
  gradientTolerance: { absolute: 1e-5, relative: 1e-5 },
  throws: [[{ x: [3, 4], source: [4] }, "indexPut: shapes must broadcast, got [4] and [5]"]],
});
describeOp("indexPut that adds", (x, source) => indexPut(x, pairs, source, { accumulate: true }), {
  cases: [
    { x: [3, 4, 2], source: [5, 2] },
    { x: [3, 4], source: [] },
  ],
  reference: (x, source) =>
    build(x.shape, ([i = 0, j = 0, ...rest]) =>
      writers(i, j).reduce((total, k) => total + at(source, [k, ...rest]), at(x, [i, j, ...rest])),
    ),
  tolerance: ROUNDING,
});

describe("index", () => {
  test("takes whole numbers and scalars, and leaves the axes behind the indices whole", async () => {
    const x = tensor([0, 1, 2, 3, 4, 5], { dtype: "i32" }).reshape([3, 2]);
    const row = index(x, [tensor(-1, { dtype: "i32" })]);
    const none = index(x, [zeros([0], "i32")]);
    expect([row.shape, row.dtype, await values(row)]).toEqual([[2], "i32", [4, 5]]);
    expect(none.shape).toEqual([0, 2]);
  });

  test("put back with indexPut leaves x as it is", async () => {
    const x = tensor([1, 2, 3, 4, 5, 6]).reshape([2, 3]);
    const at = [ids([1, 0]), ids([2, 2])];
    expect(await values(indexPut(x, at, index(x, at)))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(indexPut(zeros([0, 3]), [ids([1])], zeros([3])).shape).toEqual([0, 3]);
  });

  test("gives a place that is read twice both gradients", async () => {
    const x = tensor([1, 2, 3]);
    const [dx = zeros([])] = grad(index(x, [ids([1, 1, -3])]), [x], tensor([10, 20, 40]));
    await realize([dx]);
    expect(await values(dx)).toEqual([40, 30, 0]);
  });

  test("refuses what it cannot read", () => {
    const x = zeros([2, 3]);
    expect(() => index(x, [null])).toThrow(new ShapeError("index: needs at least one index tensor"));
    expect(() => index(x, [ids([0, 1]), ids([0, 1, 2])])).toThrow(ShapeError);
    expect(() => index(x, [zeros([2], "bool")])).toThrow(DTypeError);
    expect(() => indexPut(x, [ids([0])], zeros([3], "i32"))).toThrow(
      new DTypeError("indexPut: values must be f32 as x is, got i32; cast them"),
    );
  });
});
