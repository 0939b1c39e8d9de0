import { describe, expect, test } from "vitest";
import { resample } from "./resample.ts";

function sine(frequency: number, rate: number, length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin((2 * Math.PI * frequency * i) / rate));
}

describe("resample", () => {
  test("keeps a tone in place and at its level", () => {
    const out = resample(sine(1000, 22050, 22050), 22050, 16000);
    const expected = sine(1000, 16000, 16000);
    expect(out).toHaveLength(16000);
    // Passband ripple of a Kaiser window with β = 8 is under 1e-4; float32 adds less.
    for (let i = 500; i < 15500; i++) expect(Math.abs((out[i] ?? 0) - (expected[i] ?? 0))).toBeLessThan(2e-4);
  });

  test("stops what the new rate cannot hold", () => {
    const out = resample(sine(9500, 22050, 22050), 22050, 16000);
    // 70 dB under the tone.
    for (let i = 500; i < 15500; i++) expect(Math.abs(out[i] ?? 0)).toBeLessThan(3e-4);
  });
});
