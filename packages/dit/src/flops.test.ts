import { describe, expect, test } from "vitest";
import { presets } from "./config.ts";
import { flops } from "./flops.ts";
import { tinyConfig } from "./tiny-model.ts";

const clip = {
  batch: 1,
  frames: 5,
  motion: 2,
  reference: true,
  height: 8,
  width: 8,
  textLength: 32,
  audio: true,
} as const;

describe("flops", () => {
  test("a nano clip of two seconds at 64×64 costs about 1 GFLOP", () => {
    const { total } = flops(presets.nano, clip);
    expect(total).toBeGreaterThan(0.8e9);
    expect(total).toBeLessThan(1.3e9);
  });

  test("the parts add up and grow with the batch", () => {
    const one = flops(presets.nano, clip);
    const { total, ...parts } = flops(presets.nano, { ...clip, batch: 3 });
    expect(total).toBe(Object.values(parts).reduce((sum, n) => sum + n, 0));
    expect(total).toBe(3 * one.total);
  });

  test("counts the FFN as three products a token, the clean frames of the last block left out", () => {
    // 2 patches a frame; block 1: 3 frames + 1 reference + 4 words = 12 rows, block 2: 2 noisy frames = 4 rows
    const { ffn } = flops(tinyConfig, {
      batch: 1,
      frames: 2,
      motion: 1,
      reference: true,
      height: 2,
      width: 4,
      textLength: 4,
      audio: false,
    });
    expect(ffn).toBe(2 * (12 + 4) * 16 * 24 * 3);
  });
});
