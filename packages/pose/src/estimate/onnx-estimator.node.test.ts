import { describe, expect, test } from "vitest";
import { coco17 } from "../keypoints.ts";
import { OnnxPoseEstimator } from "./onnx-estimator.ts";
import { brightestSpots } from "./onnx.fixture.ts";

/** A dark picture with a red, a green and a blue spot of 5 × 5 pixels. */
function spots(width: number, height: number, at: readonly (readonly [x: number, y: number])[]) {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let i = 3; i < data.length; i += 4) data[i] = 255;
  for (const [colour, [x, y]] of at.entries())
    for (let row = y - 2; row <= y + 2; row++)
      for (let column = x - 2; column <= x + 2; column++) data[4 * (row * width + column) + colour] = 255;
  return { width, height, data };
}

describe("OnnxPoseEstimator", () => {
  test("cuts out, normalizes, infers and maps back, in pictures wide and high", async () => {
    const estimator = await OnnxPoseEstimator.load(brightestSpots(17, 256, 192));
    expect(estimator.schema).toBe(coco17);
    for (const [width, height] of [
      [300, 200],
      [150, 400],
    ] as const) {
      // prettier-ignore
      const at = [[20, 30], [140, 100], [75, 190]] as const; // prettier-ignore
      const points = await estimator.estimate(spots(width, height, at), null);
      for (let k = 0; k < 17; k++) {
        const [x = 0, y = 0] = at[k % 3] ?? [];
        // a spot's middle to within the spot, as its pixels are equally bright
        expect(Math.abs((points[3 * k] ?? NaN) * width - x - 0.5)).toBeLessThan(3.5);
        expect(Math.abs((points[3 * k + 1] ?? NaN) * height - y - 0.5)).toBeLessThan(3.5);
        // (255 - 123.675) / 58.395 and the like are above 1, and confidence is not
        expect(points[3 * k + 2]).toBe(1);
      }
    }
  });

  test("looks closer where the last frame had the person", async () => {
    const estimator = await OnnxPoseEstimator.load(brightestSpots(17, 256, 192));
    const before = new Float32Array(17 * 3);
    for (let k = 0; k < 17; k++) before.set([(380 + 10 * (k % 3)) / 800, (300 + 10 * (k % 3)) / 800, 1], 3 * k);
    // the far spots are brighter in their row and column, but outside of where the person was
    const near = await estimator.estimate(spots(800, 800, [[385, 305], [390, 310], [395, 305]]), before); // prettier-ignore
    const far = await estimator.estimate(spots(800, 800, [[100, 100], [390, 310], [395, 305]]), before); // prettier-ignore
    expect(Math.abs((near[0] ?? NaN) * 800 - 385.5)).toBeLessThan(3.5);
    expect(far[2]).toBe(0);
  });

  test("says what the network must be", async () => {
    await expect(OnnxPoseEstimator.load(brightestSpots(5, 64, 48))).rejects.toThrow(
      "must find 17 or 133 points of COCO, got 5",
    );
    await expect(OnnxPoseEstimator.load(Uint8Array.of(1, 2, 3))).rejects.toThrow("must be able to read it as ONNX");
  });
});
