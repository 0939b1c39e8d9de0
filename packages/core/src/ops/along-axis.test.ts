import { expect, test } from "vitest";
import { arange, zeros } from "../tensor/create.ts";
import { rowsAlong } from "./along-axis.ts";

test("rows run along the axis, others in order, and go back where they were", async () => {
  // element [i, j, k] is 12 i + 4 j + k
  const x = arange(24).reshape([2, 3, 4]);
  const { rows, axis, restore } = rowsAlong("op", x, -2);
  expect(axis).toBe(1);
  expect(rows.shape).toEqual([8, 3]);
  expect([...(await rows.slice(0, 0, 2).data())]).toEqual([0, 4, 8, 1, 5, 9]);
  expect(await restore(rows).data()).toEqual(await x.data());
  expect(restore(rows.slice(1, 0, 1)).shape).toEqual([2, 1, 4]);
});

test("axes of none, of one and outside", () => {
  expect(rowsAlong("op", zeros([2, 0]), 1).rows.shape).toEqual([2, 0]);
  expect(rowsAlong("op", zeros([0, 3]), 1).rows.shape).toEqual([0, 3]);
  expect(rowsAlong("op", zeros([5]), 0).rows.shape).toEqual([1, 5]);
  expect(() => rowsAlong("op", zeros([5]), 1)).toThrow("op: axis must be in [-1, 0] for 1 dimensions, got 1");
});
