import { expect, test } from "vitest";
import { sizeClass } from "./size-class.ts";

test("a class holds its bytes, wastes at most an eighth, and is a class of its own", () => {
  for (const bytes of [257, 300, 1000, 4096, 4097, 65_535, 1_000_003, 2 ** 31 - 1, 2 ** 31 + 1, 3 * 2 ** 30 + 7]) {
    const size = sizeClass(bytes);
    expect(size).toBeGreaterThanOrEqual(bytes);
    expect(size).toBeLessThanOrEqual(bytes * 1.125 + 4);
    expect(size % 32).toBe(0);
    expect(sizeClass(size)).toBe(size);
  }
});

test("small and empty requests share the smallest class", () => {
  expect([0, 1, 4, 255, 256].map(sizeClass)).toEqual([256, 256, 256, 256, 256]);
});
