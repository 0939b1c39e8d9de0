import { writeSafetensors } from "@omni/core/checkpoint";
import { describe, expect, test } from "vitest";
import { encoderFingerprint } from "./encoder-fingerprint.ts";

const SMALL = 10;
const LARGE = 100_000;

/** Weights of a small and a large tensor; `touch` changes some of the values. */
function weights(touch: (values: { small: Float32Array; large: Float32Array }) => void = () => undefined): Uint8Array {
  const small = Float32Array.from({ length: SMALL }, (_, i) => i);
  const large = Float32Array.from({ length: LARGE }, (_, i) => Math.sin(i));
  touch({ small, large });
  return writeSafetensors({ small: { shape: [SMALL], data: small }, large: { shape: [LARGE / 10, 10], data: large } });
}

describe("encoderFingerprint", () => {
  const settings = { maxTokens: 512, tokenizer: { model: "Unigram" } };

  test("is the same for the same encoder", async () => {
    const name = await encoderFingerprint({ settings, weights: weights() });
    expect(name).toMatch(/^[0-9a-f]{64}$/);
    expect(await encoderFingerprint({ settings: { ...settings }, weights: weights() })).toBe(name);
  });

  test("is another one for other settings or weights", async () => {
    const names = await Promise.all([
      encoderFingerprint({ settings, weights: weights() }),
      encoderFingerprint({ settings: { ...settings, maxTokens: 256 }, weights: weights() }),
      encoderFingerprint({ settings, weights: weights(({ small }) => (small[3] = 9)) }),
      // as training changes them: all a little
      encoderFingerprint({ settings, weights: weights(({ large }) => large.forEach((x, i) => (large[i] = x + 1e-4))) }),
      encoderFingerprint({ settings, weights: weights(({ large }) => (large[LARGE - 1] = 7)) }),
    ]);
    expect(new Set(names).size).toBe(names.length);
  });
});
