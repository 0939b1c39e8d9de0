import { describe, expect, test } from "vitest";
import { presets } from "./config.ts";
import { planSegments } from "./segments.ts";

const { clip } = presets.nano;

describe("planSegments", () => {
  test.each([
    [1, 60 * clip.fps],
    [60 * clip.fps, 3600 * clip.fps],
  ])("joins to the video's frames without a gap, for lengths from %d to %d frames", (from, to) => {
    for (let frames = from; frames <= to; frames += Math.ceil(frames / 100)) {
      let next = 0;
      const faults = planSegments(frames, clip).filter(({ first, newFrames, motionFrames }) => {
        const fits = first === next && newFrames > 0 && motionFrames + newFrames <= clip.segmentFrames;
        next += newFrames;
        return !fits;
      });
      expect([frames, next, faults]).toEqual([frames, frames, []]);
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
