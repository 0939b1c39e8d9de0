import { describe, expect, test } from "vitest";
import { expectAll } from "../ops/kind.ts";
import { MOST_ERROR, relativeError } from "./accuracy.ts";

describe("relativeError", () => {
  test("is the root-mean-square error over the answer's size", () => {
    // √(1² / (3² + 4²))
    expect(relativeError([3, 5], expectAll([3, 4]))).toBeCloseTo(0.2, 12);
  });

  test("passes float32 and fails half precision", () => {
    const wanted = Array.from({ length: 100 }, (_, i) => Math.sin(i) + 2);
    const float32 = Float32Array.from(wanted);
    // ten bits after the leading one, as f16 keeps
    const half = wanted.map((x) => Math.round(x * 512) / 512);
    expect(relativeError(float32, expectAll(wanted))).toBeLessThan(MOST_ERROR);
    expect(relativeError(half, expectAll(wanted))).toBeGreaterThan(MOST_ERROR);
  });

  test("is infinite where anything is not finite or missing, checked or not", () => {
    const first = { positions: Uint32Array.of(0), values: Float64Array.of(1) };
    expect(relativeError([1, NaN], first)).toBe(Infinity);
    expect(relativeError([], first)).toBe(Infinity);
    expect(relativeError([], { positions: new Uint32Array(0), values: new Float64Array(0) })).toBe(Infinity);
  });
});
