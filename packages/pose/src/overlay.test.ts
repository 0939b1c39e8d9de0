import { describe, expect, test } from "vitest";
import { drawPose } from "./overlay.ts";
import type { KeypointTrack } from "./track.ts";

const schema = { name: "arm", keypoints: ["left_elbow", "left_wrist"], edges: [[0, 1]], groups: {} } as const;

function arm(visibility: number): KeypointTrack {
  const points = Float32Array.from([0.25, 0.5, 1, 0.75, 0.5, visibility]);
  return { schema, fps: 25, width: 20, height: 20, points };
}

function drawn(track: KeypointTrack): Uint8ClampedArray {
  const image = { width: 20, height: 20, data: new Uint8ClampedArray(20 * 20 * 4) };
  drawPose(image, track, 0, { lineWidth: 2 });
  return image.data;
}

function pixel(data: Uint8ClampedArray, x: number, y: number): number[] {
  return Array.from(data.subarray(4 * (y * 20 + x), 4 * (y * 20 + x) + 4));
}

describe("drawPose", () => {
  test("draws the limb between its points in the side's color, and nothing far from it", () => {
    const data = drawn(arm(1));
    expect(pixel(data, 10, 10)).toEqual([255, 140, 0, 255]);
    expect(pixel(data, 10, 2)).toEqual([0, 0, 0, 0]);
  });

  test("leaves out limbs of invisible points", () => {
    expect(pixel(drawn(arm(0)), 10, 10)).toEqual([0, 0, 0, 0]);
  });

  test("draws the limbs of hands thinner", () => {
    const width = (groups: Record<string, number[]>): number => {
      const data = drawn({ ...arm(1), schema: { ...schema, groups } });
      return Array.from({ length: 20 }, (_, y) => pixel(data, 10, y)[3] ?? 0).reduce(
        (sum, alpha) => sum + alpha / 255,
        0,
      );
    };
    // 2 pixels, and a third of it
    expect(width({})).toBeCloseTo(2, 1);
    expect(width({ left_hand: [0, 1] })).toBeLessThan(1);
  });
});
