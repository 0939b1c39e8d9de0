import { expect, test } from "vitest";
import { ShapeError } from "../base/errors.ts";
import { flattened } from "./nested.ts";

test("nested arrays are read in row-major order", () => {
  expect(
    flattened([
      [1, 2, 3],
      [4, 5, 6],
    ]),
  ).toEqual({ shape: [2, 3], flat: [1, 2, 3, 4, 5, 6] });
  expect(flattened([[[true]], [[false]]])).toEqual({ shape: [2, 1, 1], flat: [1, 0] });
  expect(flattened(7)).toEqual({ shape: [], flat: [7] });
});

test("empty arrays have a size of zero", () => {
  expect(flattened([])).toEqual({ shape: [0], flat: [] });
  expect(flattened([[], []])).toEqual({ shape: [2, 0], flat: [] });
});

test.each<[string, Parameters<typeof flattened>[0], string]>([
  ["a row that is shorter", [[1, 2], [3]], "tensor: nested arrays must have equal lengths, got 1 where 2 was expected"],
  ["a row that is longer", [[1], [2, 3]], "tensor: nested arrays must have equal lengths, got 2 where 1 was expected"],
  [
    "an empty row after a full one",
    [[1], []],
    "tensor: nested arrays must have equal lengths, got 0 where 1 was expected",
  ],
  [
    "a full row after an empty one",
    [[], [1]],
    "tensor: nested arrays must have equal lengths, got 1 where 0 was expected",
  ],
  ["a number among rows", [[1], 2], "tensor: nested arrays must have equal depth"],
  ["a row among numbers", [1, [2]], "tensor: nested arrays must have equal"],
  ["deeper rows behind an empty one", [[], [[1]]], "tensor: nested arrays must have equal"],
])("refuses %s", (_, values, message) => {
  expect(() => flattened(values)).toThrow(ShapeError);
  expect(() => flattened(values)).toThrow(message);
});
