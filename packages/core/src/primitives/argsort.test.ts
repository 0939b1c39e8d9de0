import { describe, expect, test } from "vitest";
import type { DType, PackedDType } from "../base/dtype.ts";
import { Node } from "../graph/node.ts";
import { philox4x32 } from "../random/philox.ts";
import { tensor } from "../tensor/create.ts";
import { realize, Tensor } from "../tensor/tensor.ts";
import { argsortOp } from "./argsort.ts";

/** Random words, the same in every run. */
const word = (i: number): number => philox4x32([i, 0, 0, 0], [1, 2])[0];

// every order of signs and sizes, many ties
const VALUES: Record<Exclude<DType, PackedDType>, (i: number) => number> = {
  f32: (i) => [NaN, Infinity, -Infinity, 0, -0, 1e-40, -1e-40, 3e38, -3e38, 1, -1, 1.5][word(i) % 12] ?? 0,
  i32: (i) => [-(2 ** 31), -1, 0, 1, 2 ** 31 - 1, -7, 7][word(i) % 7] ?? 0,
  u32: (i) => [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 9][word(i) % 6] ?? 0,
  bool: (i) => word(i) % 2,
};

/** A value's place among numbers: NaN is above them, −0 equals 0. Floats below 2⁻¹²⁶ are numbers like others. */
const compare = (a: number, b: number): number =>
  Number.isNaN(a) || Number.isNaN(b) ? Number(Number.isNaN(a)) - Number(Number.isNaN(b)) : a < b ? -1 : Number(a > b);

function argsort(rows: readonly (readonly number[])[], dtype: DType, descending: boolean): Tensor {
  const x = tensor([...rows], { dtype });
  return new Tensor(new Node(argsortOp, [x.node], [descending ? 1 : 0], x.shape, "i32"));
}

/** Array.prototype.sort is stable. */
const expected = (row: readonly number[], descending: boolean): number[] =>
  row.map((_, i) => i).sort((i, j) => (descending ? -1 : 1) * compare(row[i] ?? 0, row[j] ?? 0));

describe.each(["f32", "i32", "u32", "bool"] as const)("argsort of %s", (dtype) => {
  // 512 is the longest row that is ranked by counting, 513 to 1024 go through a network of 1024
  test.each([1, 37, 512, 513, 700])("rows of %i: stable both ways, NaN above all numbers", async (n) => {
    const rows = [0, 1, 2].map((r) => Array.from({ length: n }, (_, i) => VALUES[dtype](r * n + i)));
    const results = [argsort(rows, dtype, false), argsort(rows, dtype, true)];
    await realize(results);
    for (const [i, y] of results.entries()) {
      const found = [...(await y.data())];
      rows.forEach((row, r) => expect(found.slice(r * n, (r + 1) * n)).toEqual(expected(row, i === 1)));
    }
  });
});

test("rows of nothing and no rows are empty", async () => {
  const empty = tensor([], { shape: [3, 0] });
  const none = tensor([], { shape: [0, 600] });
  for (const x of [empty, none])
    expect([...(await new Tensor(new Node(argsortOp, [x.node], [0], x.shape, "i32")).data())]).toEqual([]);
});
