import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tensor, zeros } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { unique, uniqueConsecutive, type Unique } from "./unique.ts";

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];
const read = async (found: Unique): Promise<number[][]> =>
  Promise.all([found.values, found.inverse, found.counts].map(values));

describe("unique", () => {
  test("is the set of the values, in order, with their places and counts", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 30 }), async (list) => {
        const set = [...new Set(list)].sort((a, b) => a - b);
        const expected = [set, list.map((v) => set.indexOf(v)), set.map((v) => list.filter((w) => w === v).length)];
        expect(await read(await unique(tensor(list)))).toEqual(expected);
      }),
      { seed: 8, numRuns: 12 },
    );
  });

  test("of more values than a counting sort takes", async () => {
    const list = Array.from({ length: 1500 }, (_, i) => (i * i) % 101);
    const [found, inverse] = await read(await unique(tensor(list, { dtype: "i32" })));
    expect(found).toEqual([...new Set(list)].sort((a, b) => a - b));
    expect(inverse?.map((i) => found?.[i])).toEqual(list);
  });

  test("has each NaN for itself, and keeps dtype and the shape of the places", async () => {
    expect(await read(await unique(tensor([NaN, 1, NaN, 1])))).toEqual([
      [1, NaN, NaN],
      [1, 0, 2, 0],
      [2, 1, 1],
    ]);
    const flags = await unique(
      tensor(
        [
          [1, 0],
          [1, 1],
        ],
        { dtype: "bool" },
      ),
    );
    expect([flags.values.dtype, flags.inverse.shape]).toEqual(["bool", [2, 2]]);
    expect(await read(flags)).toEqual([
      [0, 1],
      [1, 0, 1, 1],
      [1, 3],
    ]);
    expect((await unique(zeros([0, 2]))).inverse.shape).toEqual([0, 2]);
    expect(await read(await unique(tensor(4)))).toEqual([[4], [0], [1]]);
  });
});

describe("unique along an axis", () => {
  const cells = fc.integer({ min: 0, max: 2 });

  test.each([1, 2, 3, 5])("is the set of the slices of %i elements, in order of their first difference", async (m) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(cells, { minLength: m, maxLength: m }), { minLength: 9, maxLength: 9 }),
        async (rows) => {
          const keys = rows.map(String);
          // one digit each: the order of the texts is that of the numbers
          const set = [...new Set(keys)].sort();
          const [found, inverse, counts] = await read(await unique(tensor(rows), { axis: 0 }));
          expect(found).toEqual(set.flatMap((key) => key.split(",").map(Number)));
          expect(inverse).toEqual(keys.map((key) => set.indexOf(key)));
          expect(counts).toEqual(set.map((key) => keys.filter((k) => k === key).length));
        },
      ),
      { seed: 9, numRuns: 4 },
    );
  });

  test("takes any axis, and keeps dtype and the other axes", async () => {
    const x = tensor([3, 1, 3, 1, 7, 1, 7, 2, 0, 5, 0, 5], { dtype: "i32" }).reshape([1, 3, 4]);
    const found = await unique(x, { axis: -1 });
    expect([found.values.shape, found.values.dtype]).toEqual([[1, 3, 3], "i32"]);
    expect(await read(found)).toEqual([
      [1, 1, 3, 1, 2, 7, 5, 5, 0],
      [2, 0, 2, 1],
      [1, 1, 2],
    ]);
  });

  test("of slices of nothing, and of no slices", async () => {
    expect(await read(await unique(zeros([3, 0]), { axis: 0 }))).toEqual([[], [0, 0, 0], [3]]);
    const none = await unique(zeros([0, 3]), { axis: 0 });
    expect([none.values.shape, none.inverse.shape, none.counts.shape]).toEqual([[0, 3], [0], [0]]);
    await expect(unique(zeros([2]), { axis: 1 })).rejects.toThrow("unique: axis must be in [-1, 0]");
  });

  test("uniqueConsecutive leaves out equal neighbours only", async () => {
    const x = tensor([1, 2, 1, 2, 3, 4, 1, 2]).reshape([4, 2]);
    expect(await read(await uniqueConsecutive(x, { axis: 0 }))).toEqual([
      [1, 2, 3, 4, 1, 2],
      [0, 0, 1, 2],
      [2, 1, 1],
    ]);
  });
});

test("uniqueConsecutive leaves out equal neighbours only", async () => {
  expect(await read(await uniqueConsecutive(tensor([1, 1, 2, 2, 2, 1])))).toEqual([
    [1, 2, 1],
    [0, 0, 1, 1, 1, 2],
    [2, 3, 1],
  ]);
});
