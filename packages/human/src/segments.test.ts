import { describe, expect, test } from "vitest";
import { presets } from "./config.ts";
import { planSegments } from "./segments.ts";

const { clip } = presets.nano;

describe("planSegments", () => {
  test("joins to the video's frames without a gap, for every length up to a minute", () => {
    for (let frames = 1; frames <= 60 * clip.fps; frames++) {
      let next = 0;
      for (const segment of planSegments(frames, clip)) {
        expect(segment.first).toBe(next);
        expect(segment.newFrames).toBeGreaterThan(0);
        expect(segment.motionFrames + segment.newFrames).toBeLessThanOrEqual(clip.segmentFrames);
        next += segment.newFrames;
      }
      expect(next).toBe(frames);
    }
  });

  test("opens later segments with the last five frames of the one before", () => {
    expect(planSegments(60, clip)).toEqual([
      { index: 0, start: 0, motionFrames: 0, first: 0, newFrames: 25 },
      { index: 1, start: 20, motionFrames: 5, first: 25, newFrames: 20 },
      { index: 2, start: 40, motionFrames: 5, first: 45, newFrames: 15 },
    ]);
  });

  test("makes one segment of a video that is shorter than its motion frames", () => {
    expect(planSegments(3, clip)).toEqual([{ index: 0, start: 0, motionFrames: 0, first: 0, newFrames: 3 }]);
  });
});
