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
});
