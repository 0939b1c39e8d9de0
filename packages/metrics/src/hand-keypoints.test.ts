import { describe, expect, test } from "vitest";
import { ShapeError } from "@omni/core";
import { handKeypointConfidence, handKeypointVariance } from "./hand-keypoints.ts";

// two frames of two keypoints: the first moves by (2, 4), the second not at all
const hands = {
  shape: [2, 2],
  xy: [0, 0, 5, 5, 2, 4, 5, 5],
  confidence: [0.9, 0.5, 0.7, 0.1],
};

describe("hand keypoints", () => {
  test("HKC is the mean confidence", () => {
    expect(handKeypointConfidence(hands)).toBeCloseTo(0.55, 12);
  });

  test("HKV is the mean over keypoints of the variances of x and y", () => {
    // variances of (0, 2) and (0, 4): 1 and 4
    const { variance, deviation, byKeypoint } = handKeypointVariance(hands);
    expect(byKeypoint).toEqual(Float64Array.of(5, 0));
    expect(variance).toBe(2.5);
    expect(deviation).toBeCloseTo(Math.sqrt(5) / 2, 12);
  });

  test("HKV leaves out what is not confident, and counts a keypoint seen once as still", () => {
    expect(handKeypointVariance(hands, { minConfidence: 0.6 }).variance).toBe(2.5);
    // 0.7 is not above 0.7
    expect(handKeypointVariance(hands, { minConfidence: 0.7 }).variance).toBe(0);
  });

  test("refuses numbers that do not fit their shape", () => {
    expect(() => handKeypointConfidence({ ...hands, xy: [1, 2] })).toThrow(ShapeError);
    expect(() => handKeypointVariance({ shape: [0, 2], xy: [], confidence: [] })).toThrow("for [0, 2]");
  });
});
