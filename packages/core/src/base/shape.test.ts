import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ShapeError } from "./errors.ts";
import {
  broadcastShapes,
  checkShape,
  contiguousStrides,
  expectShape,
  normalizeAxes,
  normalizeAxis,
  sizeOf,
} from "./shape.ts";

const SEED = { seed: 7, numRuns: 200 };

describe("axes", () => {
  test("negative ones count from the back", () => {
    expect([-3, -1, 0, 2].map((a) => normalizeAxis("op", a, 3))).toEqual([0, 2, 0, 2]);
  });

  test.each([3, -4, 0.5, NaN])("%s is no axis of three", (axis) => {
    expect(() => normalizeAxis("sum", axis, 3)).toThrow(`sum: axis must be in [-3, 2] for 3 dimensions, got ${axis}`);
  });

  test("come sorted, all by default, each once", () => {
    expect(normalizeAxes("op", undefined, 3)).toEqual([0, 1, 2]);
    expect(normalizeAxes("op", [2, -3], 3)).toEqual([0, 2]);
    expect(normalizeAxes("op", [], 3)).toEqual([]);
    expect(() => normalizeAxes("sum", [1, -2], 3)).toThrow("sum: axes must differ, got [1, -2]");
  });
});

describe("broadcastShapes", () => {
  test("aligns from the back; 1 gives way, to 0 as well", () => {
    expect(broadcastShapes("op", [3, 1, 5], [4, 1])).toEqual([3, 4, 5]);
    expect(broadcastShapes("op", [], [2, 3])).toEqual([2, 3]);
    expect(broadcastShapes("op", [1], [0])).toEqual([0]);
  });

  test("refuses sizes that differ, naming both shapes", () => {
    expect(() => broadcastShapes("add", [2, 3], [4])).toThrow("add: shapes must broadcast, got [2, 3] and [4]");
    expect(() => broadcastShapes("add", [0], [2])).toThrow(ShapeError);
  });

  test("gives the larger size of each axis, whichever operand has it", () => {
    const dims = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.constantFrom("both", "left", "right")), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(dims, (list) => {
        const whole = list.map(([n]) => n);
        const left = list.map(([n, who]) => (who === "right" ? 1 : n));
        const right = list.map(([n, who]) => (who === "left" ? 1 : n));
        expect(broadcastShapes("op", left, right)).toEqual(whole);
        expect(broadcastShapes("op", right, left)).toEqual(whole);
      }),
      SEED,
    );
  });
});

describe("sizes", () => {
  test("a scalar has one element, an empty axis none", () => {
    expect([sizeOf([]), sizeOf([2, 0, 3]), sizeOf([2, 3])]).toEqual([1, 0, 6]);
    expect(contiguousStrides([2, 3, 4])).toEqual([12, 4, 1]);
    expect(contiguousStrides([2, 0, 4])).toEqual([0, 4, 1]);
  });

  test.each([[[-1]], [[1.5]], [[NaN]]])("%j is no shape", (shape) => {
    expect(() => checkShape("zeros", shape)).toThrow("zeros: sizes must be whole numbers of at least 0");
  });

  test("an expected shape may leave sizes open", () => {
    expectShape("op", "x", [2, 3], [null, 3]);
    expect(() => expectShape("linear", "bias", [3], [4])).toThrow("linear: bias must have shape [4], got [3]");
    expect(() => expectShape("op", "x", [2, 3], [null, 4])).toThrow("op: x must have shape [any, 4], got [2, 3]");
    expect(() => expectShape("op", "x", [2], [2, 1])).toThrow(ShapeError);
  });
});
