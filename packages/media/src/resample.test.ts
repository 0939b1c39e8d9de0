import { describe, expect, test } from "vitest";
import { Resampler, joinSamples, resample } from "./resample.ts";
import { noise, signalToError, tone } from "./testing/signals.ts";

/** Longest filter reach in output samples, doubled: near the ends the input is cut off. */
const edge = 200;

describe("resample", () => {
  test.each([
    [44_100, 16_000],
    [48_000, 16_000],
    [8_000, 16_000],
    [16_000, 48_000],
    [44_100, 48_000],
    [11_025, 16_000],
    [96_000, 16_000],
    [22_255, 16_000],
  ])("%i Hz to %i Hz keeps a tone in the band to 80 dB", (from, to) => {
    const frequency = 0.4 * Math.min(from, to);
    const out = resample(tone(from / 2, frequency, from), from, to);
    expect(signalToError(out, tone(out.length, frequency, to), edge)).toBeGreaterThan(80);
  });

  test.each([8_100, 10_000, 15_000, 20_000])("removes a tone of %i Hz above the new band to -80 dB", (frequency) => {
    const out = resample(tone(22_050, frequency, 44_100, 1), 44_100, 16_000).subarray(edge, -edge);
    // A full-scale tone that comes out below 1e-4 is 80 dB down.
    expect(out.reduce((peak, x) => Math.max(peak, Math.abs(x)), 0)).toBeLessThan(1e-4);
  });

  test("gives the same samples whatever the pieces", () => {
    const input = noise(5000, 1);
    const resampler = new Resampler(44_100, 16_000);
    const pieces: Float32Array[] = [];
    for (let at = 0, size = 1; at < input.length; at += size, size = (size * 7) % 611) {
      pieces.push(resampler.push(input.subarray(at, at + size)));
    }
    pieces.push(resampler.flush());
    expect(joinSamples(pieces)).toEqual(resample(input, 44_100, 16_000));
  });

  test.each([0, 1, 2, 440, 441, 442, 1000])("%i samples give ⌈n 160 / 441⌉", (length) => {
    expect(resample(noise(length, 2), 44_100, 16_000)).toHaveLength(Math.ceil((length * 160) / 441));
  });

  test("keeps a constant and does not touch equal rates", () => {
    const out = resample(new Float32Array(4000).fill(0.25), 44_100, 16_000);
    for (const sample of out.subarray(edge, -edge)) expect(sample).toBeCloseTo(0.25, 6);
    const input = noise(10, 3);
    expect(resample(input, 16_000, 16_000)).toEqual(input);
  });
});
