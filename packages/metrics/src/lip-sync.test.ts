import { describe, expect, test } from "vitest";
import { ShapeError } from "@omni/core";
import type { Features } from "./feature-statistics.ts";
import { lipSync } from "./lip-sync.ts";

/** Features of a place in a signal: far apart for different places. */
const at = (t: number, k: number): number => Math.sin((t + 40) ** 1.5 * (k + 1));
const track = (frames: number, shift: number): Features => ({
  shape: [frames, 6],
  data: Array.from({ length: frames * 6 }, (_, i) => at(Math.floor(i / 6) + shift, i % 6)),
});

describe("lipSync", () => {
  test.each([0, 3, -4])("finds sound that leads by %d frames", (lead) => {
    // sound(t) is the picture's t + lead, so video(t) fits sound(t − lead)
    const { offset, confidence, distance, meanDistances } = lipSync(track(60, 0), track(60, lead), { maxShift: 6 });
    expect(offset).toBe(lead);
    expect(meanDistances).toHaveLength(13);
    expect(distance).toBe(Math.min(...meanDistances));
    expect(confidence).toBeGreaterThan(0.5);
  });

  test("is the definition on two frames", () => {
    const video = { shape: [2, 1], data: [1, 5] };
    const sound = { shape: [2, 1], data: [2, 9] };
    const { meanDistances, distance, confidence, offset, frameConfidences } = lipSync(video, sound, {
      maxShift: 1,
      eps: 0,
    });
    // shift −1: |1 − 0|, |5 − 2|; 0: |1 − 2|, |5 − 9|; 1: |1 − 9|, |5 − 0|
    expect(meanDistances).toEqual(Float64Array.of(2, 2.5, 6.5));
    expect([distance, confidence, offset]).toEqual([2, 0.5, 1]);
    // 2.5 − (1, 3) among seven zeros: their median is 0
    expect(frameConfidences).toEqual(Float64Array.of(0, 0));
  });

  test("adds eps to each difference", () => {
    const one = { shape: [1, 4], data: [0, 0, 0, 0] };
    expect(lipSync(one, one, { maxShift: 0 }).distance).toBeCloseTo(2e-6, 15);
  });

  test("confidences of frames are medians of nine", () => {
    const frames = 12;
    const video = { shape: [frames, 1], data: Array.from({ length: frames }, (_, t) => (t === 6 ? 100 : 1)) };
    const sound = { shape: [frames, 1], data: new Array<number>(frames).fill(0) };
    const { frameConfidences } = lipSync(video, sound, { maxShift: 1, eps: 0 });
    // every shift has one mean distance, (11 + 100) / 12; the outlier is voted down
    expect(frameConfidences[6]).toBeCloseTo(111 / 12 - 1, 12);
  });

  test("refuses tracks that differ", () => {
    expect(() => lipSync(track(5, 0), track(6, 0))).toThrow(ShapeError);
    expect(() => lipSync(track(5, 0), track(5, 0), { maxShift: 1.5 })).toThrow("maxShift must be a whole number");
  });
});
