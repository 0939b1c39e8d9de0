import { describe, expect, test } from "vitest";
import { presets } from "./config.ts";
import { fieldSamples, hopSamples, normalizeWaveform, stepCount, stepTime } from "./waveform.ts";

describe("normalizeWaveform", () => {
  test("gives zero mean and unit variance", () => {
    // mean 3, variance 5: (x - 3) / √5
    const out = normalizeWaveform(Float32Array.of(0, 2, 4, 6));
    [-3, -1, 1, 3].forEach((d, i) => expect(out[i]).toBeCloseTo(d / Math.sqrt(5), 5));
  });

  test("leaves silence silent, and hiss below the floor quiet", () => {
    expect([...normalizeWaveform(new Float32Array(4))]).toEqual([0, 0, 0, 0]);
    const hiss = Float32Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? 1e-3 : -1e-3));
    // rms 1e-3 against a floor of variance 1e-5: 1e-3 / √(1.1e-5) ≈ 0.30
    expect(normalizeWaveform(hiss, presets.nano.varianceFloor)[0]).toBeCloseTo(0.3015, 3);
  });

  test("takes an empty signal", () => {
    expect(normalizeWaveform(new Float32Array(0))).toHaveLength(0);
  });
});

describe("steps", () => {
  test("last 20 ms and see 25 ms", () => {
    expect(hopSamples(presets.base)).toBe(320);
    expect(fieldSamples(presets.base)).toBe(400);
    expect(stepTime(presets.base, 0)).toBeCloseTo(0.0125, 4);
  });

  // transformers' Wav2Vec2Model._get_feat_extract_output_lengths
  test.each([
    [399, 0],
    [400, 1],
    [719, 1],
    [720, 2],
    [6400, 19],
    [16_000, 49],
  ])("%i samples make %i steps", (samples, steps) => {
    expect(stepCount(presets.base, samples)).toBe(steps);
  });
});
