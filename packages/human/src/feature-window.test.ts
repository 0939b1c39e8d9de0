import { describe, expect, test } from "vitest";
import type { FrameFeatures } from "@omni/audio";
import { FeatureWindow } from "./feature-window.ts";

/** Pieces of 4, 4 and 2 frames; frame n is [n, n]. */
async function* pieces(): AsyncGenerator<FrameFeatures, void, undefined> {
  for (const [first, count] of [
    [0, 4],
    [4, 4],
    [8, 2],
  ] as const)
    yield { first, count, data: Float32Array.from({ length: 2 * count }, (_, i) => first + Math.floor(i / 2)) };
}

describe("FeatureWindow", () => {
  test("gives overlapping windows across pieces", async () => {
    const window = new FeatureWindow(pieces(), 2);
    expect([...(await window.take(0, 5))]).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
    expect([...(await window.take(3, 3))]).toEqual([3, 3, 4, 4, 5, 5]);
    await window.close();
  });

  test("skips pieces that lie before the window", async () => {
    expect([...(await new FeatureWindow(pieces(), 2).take(8, 1))]).toEqual([8, 8]);
  });

  test("gives zeros past the end", async () => {
    expect([...(await new FeatureWindow(pieces(), 2).take(9, 2))]).toEqual([9, 9, 0, 0]);
  });
});
