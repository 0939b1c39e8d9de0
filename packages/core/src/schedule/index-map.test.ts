import { expect, test } from "vitest";
import { EXACT_QUOTIENTS } from "./index-map.ts";

test("quotients in f32 are exact below the bound, at every multiple of the divisor and one before it", () => {
  const wrong: [number, number][] = [];
  for (const n of [2, 3, 5, 7, 10, 48, 49, 97, 127, 129, 1000, 1023, 1025, 4097, 65537, 699051, 1048575, 2097151]) {
    const inverse = Math.fround(1 / n);
    const quotient = (i: number): number => Math.floor(Math.fround(Math.fround(i + 0.5) * inverse));
    for (let multiple = n; multiple <= EXACT_QUOTIENTS; multiple += n)
      for (const i of [multiple - 1, multiple])
        if (i < EXACT_QUOTIENTS && quotient(i) !== Math.floor(i / n)) wrong.push([i, n]);
  }
  expect(wrong).toEqual([]);
});
