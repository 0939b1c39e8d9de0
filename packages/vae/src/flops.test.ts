import { describe, expect, test } from "vitest";
import { vaePresets } from "./config.ts";
import { flops } from "./flops.ts";

describe("flops", () => {
  test("nano codes two seconds of 64×64 within its budget", () => {
    const { encode, decode, total } = flops(vaePresets.nano, { frames: 25, height: 64, width: 64 });
    expect(total).toBe(encode + decode);
    expect(total).toBeGreaterThan(1.5e9);
    expect(total).toBeLessThan(2.2e9);
  });

  test("counts a convolution as two operations a multiply-add", () => {
    // one 1×1×1 convolution of 3·16 to 32 channels over 25·16·16 positions more
    const shallow = { ...vaePresets.nano, encoderBlocks: 0 };
    const wide = { ...shallow, pixelKernel: 3 } as const;
    const size = { frames: 25, height: 64, width: 64 };
    const stem = 2 * 48 * 32 * 25 * 16 * 16;
    expect(flops(wide, size).encode - flops(shallow, size).encode).toBe(26 * stem);
  });

  test("scales with the batch", () => {
    const size = { frames: 5, height: 32, width: 64 };
    const one = flops(vaePresets.wan21, size).total;
    expect(flops(vaePresets.wan21, { ...size, batch: 3 }).total).toBe(3 * one);
  });
});
