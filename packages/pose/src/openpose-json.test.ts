import { describe, expect, test } from "vitest";
import { keypointIndices } from "./keypoints.ts";
import { isOpenPose, openPoseJson, parseOpenPose } from "./openpose-json.ts";
import { convertTrack, keypointAt } from "./track.ts";
import { bodyAndHands59, openPose137 } from "./whole-body.ts";

/** K points at (k, 2k) with confidence c. */
const points = (count: number, c = 0.5): number[] => Array.from({ length: count }, (_, k) => [k, 2 * k, c]).flat();
const size = { canvas_width: 200, canvas_height: 400 };
const named = (name: string): number => openPose137.keypoints.indexOf(name);

describe("parseOpenPose", () => {
  test("reads bodies of 25 points in OpenPose's order, in fractions", () => {
    const track = parseOpenPose({ ...size, people: [{ pose_keypoints_2d: points(25) }] }, { fps: 25 });
    // 4 is the right wrist: https://github.com/CMU-Perceptual-Computing-Lab/openpose/blob/master/doc/02_output.md
    expect(keypointAt(track, 0, named("right_wrist"))).toEqual({
      x: Math.fround(4 / 200),
      y: Math.fround(8 / 400),
      visibility: 0.5,
    });
  });

  test("reads bodies of 18 points, where the eighth is the right hip", () => {
    const track = parseOpenPose({ ...size, people: [{ pose_keypoints_2d: points(18) }] }, { fps: 25 });
    expect(keypointAt(track, 0, named("right_hip")).x).toBeCloseTo(8 / 200, 6);
    expect(keypointAt(track, 0, named("mid_hip")).visibility).toBe(0);
  });

  test("takes the person that is seen best, and a frame without one as invisible", () => {
    const people = [{ pose_keypoints_2d: points(25, 0.25) }, { pose_keypoints_2d: points(25, 0.75) }];
    const track = parseOpenPose([{ ...size, people }, { people: [] }], { fps: 12.5 });
    expect(track.fps).toBe(12.5);
    expect(keypointAt(track, 0, 0).visibility).toBe(0.75);
    expect(keypointAt(track, 1, 0).visibility).toBe(0);
  });

  test.each([
    [{ people: [] }, "canvas_width must be a number above 0 (OpenPose leaves it out"],
    [
      { ...size, people: [{ pose_keypoints_2d: [1, 2] }] },
      "frames[0].people[0].pose_keypoints_2d must hold 75 numbers, got 2",
    ],
    [
      { ...size, people: [{ hand_left_keypoints_2d: new Array(63).fill("a") }] },
      "hand_left_keypoints_2d[0] must be a number",
    ],
    [[], "frames[0] must be an object"],
  ])("refuses what breaks the format (%#)", (json, message) => {
    expect(() => parseOpenPose(json, { fps: 25 })).toThrow(message);
  });
});

describe("openPoseJson", () => {
  test("comes back as it was, to thousandths of a pixel", () => {
    const values = { pose_keypoints_2d: points(25), face_keypoints_2d: points(70), hand_left_keypoints_2d: points(21) };
    const frame = { version: 1.3, ...size, fps: 25, people: [{ ...values, hand_right_keypoints_2d: points(21) }] };
    const [written] = openPoseJson(parseOpenPose(frame, { fps: 1 }));
    expect(written).toEqual(frame);
    expect(isOpenPose([written])).toBe(true);
  });

  test("puts the neck between the shoulders where the schema has none", () => {
    const all = new Float32Array(59 * 3);
    all.set([0.25, 0.5, 1], 3 * 5);
    all.set([0.75, 0.5, 0.5], 3 * 6);
    const [frame] = openPoseJson({ schema: bodyAndHands59, fps: 25, width: 100, height: 100, points: all });
    expect(frame?.people[0]?.pose_keypoints_2d.slice(3, 6)).toEqual([50, 50, 0.5]);
  });
});

describe("schemas", () => {
  test("share the names of what they share", () => {
    const missing = keypointIndices(openPose137, bodyAndHands59).filter((k) => k < 0);
    expect(missing).toEqual([]);
  });

  test("turn into each other by name", () => {
    const track = parseOpenPose({ ...size, people: [{ hand_right_keypoints_2d: points(21) }] }, { fps: 25 });
    // tip of the little finger: the last point of a hand in both
    expect(keypointAt(convertTrack(track, bodyAndHands59), 0, 58).x).toBeCloseTo(20 / 200, 6);
  });
});
