import { describe, expect, test } from "vitest";
import { formatValues } from "./format.ts";

const f32 = (shape: readonly number[], ...values: number[]): string => formatValues(shape, values, "f32");

describe("formatValues", () => {
  test("writes whole numbers without a point, aligned to the right", () => {
    expect(f32([2, 3], 1, -20, 3, 400, 5, 6)).toBe("[[  1, -20,   3],\n [400,   5,   6]]");
    expect(formatValues([3], [7, -2, 2 ** 31 - 1], "i32")).toBe("[         7,         -2, 2147483647]");
    expect(formatValues([2], [1, 0], "bool")).toBe("[ true, false]");
  });

  test("writes fractions to four digits, and very large or small ones by their exponent", () => {
    expect(f32([3], 0.5, -1.25, 100 / 3)).toBe("[ 0.5000, -1.2500, 33.3333]");
    expect(f32([2], 1.5, 2e8)).toBe("[1.5000e+0, 2.0000e+8]");
    expect(f32([2], 1, 0.00005)).toBe("[1.0000e+0, 5.0000e-5]");
  });

  test("writes NaN and infinities as they are, beside either kind of number", () => {
    expect(f32([4], NaN, Infinity, -Infinity, 1)).toBe("[      NaN,  Infinity, -Infinity,         1]");
    expect(f32([2], NaN, 0.5)).toBe("[   NaN, 0.5000]");
    expect(f32([2], Infinity, 1e-9)).toBe("[ Infinity, 1.0000e-9]");
  });

  test("writes a scalar bare, and nothing with its shape", () => {
    expect(f32([], 2.5)).toBe("2.5000");
    expect(f32([2, 0])).toBe("[] of shape [2, 0]");
  });

  test("sets rows and matrices apart", () => {
    expect(f32([2, 2, 2], 1, 2, 3, 4, 5, 6, 7, 8)).toBe("[[[1, 2],\n  [3, 4]],\n\n [[5, 6],\n  [7, 8]]]");
    expect(f32([1, 1], 3)).toBe("[[3]]");
  });

  test("shortens axes of more than seven once there are more than a thousand elements", () => {
    const counting = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
    expect(f32([1001], ...counting(1001))).toBe("[   0,    1,    2, …,  998,  999, 1000]");
    expect(f32([1000], ...counting(1000)).split(",")).toHaveLength(1000);
    const wide = f32([7, 200], ...counting(1400)).split("\n");
    expect(wide).toHaveLength(7);
    expect(wide[6]).toBe(" [1200, 1201, 1202, …, 1397, 1398, 1399]]");
    const tall = f32([200, 7], ...counting(1400)).split("\n");
    expect(tall).toHaveLength(7);
    expect(tall[3]).toBe(" …,");
  });
});
