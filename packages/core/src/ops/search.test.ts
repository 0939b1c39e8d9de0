import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DTypeError, ShapeError } from "../base/errors.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { bucketize, countIds, lastWriters, searchSorted } from "./search.ts";

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];
const ids = (list: readonly number[]): Tensor => tensor([...list], { dtype: "i32" });

describe("searchSorted", () => {
  test("counts the elements below each value, or not above it", async () => {
    const numbers = fc.array(fc.integer({ min: -6, max: 6 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(numbers, numbers, fc.boolean(), fc.boolean(), async (row, wanted, right, whole) => {
        const sorted = row.toSorted((a, b) => a - b);
        const dtype = whole ? "i32" : "f32";
        const found = searchSorted(tensor(sorted, { dtype }), tensor(wanted, { dtype }), { right });
        const expected = wanted.map((v) => sorted.filter((s) => (right ? s <= v : s < v)).length);
        expect([found.dtype, await values(found)]).toEqual(["i32", expected]);
      }),
      { seed: 5, numRuns: 25 },
    );
  });

  test("searches each row its own values, along the last axis of any layout", async () => {
    const rows = tensor([
      [1, 3, 5],
      [2, 4, 6],
    ]);
    const wanted = tensor([
      [3, 2],
      [0, 7],
    ]);
    const found = searchSorted(rows, wanted.transpose());
    const shared = searchSorted(tensor([1, 3, 5]), tensor(4));
    await realize([found, shared]);
    expect([await values(found), await values(shared), shared.shape]).toEqual([[1, 0, 0, 3], [2], []]);
  });

  test("puts NaN behind all numbers, and −0 where 0 is", async () => {
    expect(
      await values(searchSorted(tensor([-Infinity, 0, Infinity]), tensor([NaN, -0, Infinity, -Infinity]))),
    ).toEqual([3, 1, 2, 0]);
    expect(await values(searchSorted(tensor([0, NaN, NaN]), tensor([1, NaN])))).toEqual([1, 1]);
    expect(await values(searchSorted(tensor([0, NaN, NaN]), tensor([1, NaN]), { right: true }))).toEqual([1, 3]);
  });

  test("refuses rows that do not fit the values", () => {
    expect(() => searchSorted(zeros([2, 3]), zeros([3, 3]))).toThrow(ShapeError);
    expect(() => searchSorted(zeros([]), zeros([3]))).toThrow(ShapeError);
    expect(() => searchSorted(zeros([3]), zeros([3], "i32"))).toThrow(DTypeError);
    expect(() => bucketize(zeros([3]), zeros([2, 2]))).toThrow("bucketize: boundaries must be [n], got [2, 2]");
  });
});

test("bucketize is the bin of each value, as PyTorch's own example has it", async () => {
  const [boundaries, v] = [
    tensor([1, 3, 5, 7, 9]),
    tensor([
      [3, 6, 9],
      [3, 6, 9],
    ]),
  ];
  const [left, right] = [bucketize(v, boundaries), bucketize(v, boundaries, { right: true })];
  await realize([left, right]);
  expect([await values(left), await values(right)]).toEqual([
    [1, 3, 4, 1, 3, 4],
    [2, 3, 5, 2, 3, 5],
  ]);
});

describe("of ids", () => {
  const list = Array.from({ length: 700 }, (_, i) => ((i * 37) % 23) - 3);
  const inRange = (id: number): boolean => id >= 0 && id < 18;

  test("countIds counts those in range", async () => {
    const expected = Array.from({ length: 18 }, (_, r) => list.filter((id) => id === r).length);
    expect(await values(countIds(ids(list), 18))).toEqual(expected);
    expect(await values(countIds(ids([]), 2))).toEqual([0, 0]);
    expect(list.every(inRange)).toBe(false);
  });

  test("lastWriters finds the last of each", async () => {
    const expected = Array.from({ length: 25 }, (_, r) => list.lastIndexOf(r));
    expect(await values(lastWriters(ids(list), 25))).toEqual(expected);
  });
});
