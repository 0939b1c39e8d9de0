import { describe, expect, test } from "vitest";
import { coco17 } from "./keypoints.ts";
import { retarget } from "./retarget.ts";
import { frameCount, keypointAt } from "./track.ts";
import type { KeypointTrack } from "./track.ts";

type Points = Readonly<Record<string, readonly [x: number, y: number]>>;

/** Frames of points in pixels of a 100 × 200 picture. */
function track(frames: readonly Points[]): KeypointTrack {
  const points = new Float32Array(frames.length * 17 * 3);
  for (const [f, frame] of frames.entries())
    for (const [k, name] of coco17.keypoints.entries()) {
      const point = frame[name];
      if (point) points.set([point[0] / 100, point[1] / 200, 1], 3 * (f * 17 + k));
    }
  return { schema: coco17, fps: 25, width: 100, height: 200, points };
}

const at = (t: KeypointTrack, frame: number, name: string): [number, number] => {
  const { x, y } = keypointAt(
    t,
    frame,
    coco17.keypoints.findIndex((other) => other === name),
  );
  return [x * t.width, y * t.height];
};

const close = (got: readonly number[], wanted: readonly number[]): void => {
  // f32 fractions of 200 pixels
  for (const [i, value] of wanted.entries()) expect(got[i]).toBeCloseTo(value, 3);
};

const shoulders = { left_shoulder: [60, 50], right_shoulder: [40, 50] } as const;
const arm = { ...shoulders, left_elbow: [60, 70], left_wrist: [60, 90] } as const;

describe("retarget", () => {
  test("leaves a person alone who is retargeted to themselves", () => {
    const same = retarget(track([arm, { ...arm, left_wrist: [80, 70] }]), track([arm]));
    close(at(same, 1, "left_wrist"), [80, 70]);
    close(at(same, 0, "left_elbow"), [60, 70]);
  });

  test("gives limbs the reference's lengths and keeps their directions", () => {
    // shoulders 1.2 times as wide, upper arm as long, forearm 0.8 times as long: the middle one is 1
    const reference = track([
      { left_shoulder: [62, 100], right_shoulder: [38, 100], left_elbow: [82, 100], left_wrist: [98, 100] },
    ]);
    const moved = retarget(track([arm]), reference);
    close(at(moved, 0, "left_shoulder"), [62, 100]);
    close(at(moved, 0, "left_elbow"), [62, 120]);
    close(at(moved, 0, "left_wrist"), [62, 136]);
  });

  test("moves the neck by the driver's way times the size of the person", () => {
    const shifted = { left_shoulder: [70, 60], right_shoulder: [50, 60] } as const;
    const half = track([{ left_shoulder: [25, 20], right_shoulder: [15, 20] }]);
    // 10 right and 10 down for someone of twice the size is 5 and 5
    close(at(retarget(track([shoulders, shifted]), half), 1, "left_shoulder"), [30, 25]);
  });

  test("takes a limb's longest appearance for its length, as pictures only shorten", () => {
    const short = { ...arm, left_elbow: [60, 55], left_wrist: [60, 75] } as const;
    const moved = retarget(track([...Array.from({ length: 8 }, () => arm), short]), track([arm]));
    close(at(moved, 8, "left_elbow"), [60, 55]);
  });

  test("does not take a foreshortened limb of the reference for a short one", () => {
    const pointing = { ...arm, left_wrist: [60, 72] } as const;
    const moved = retarget(track([arm]), track([pointing]));
    // 2 pixels of 20 are not believed: two thirds at the least
    close(at(moved, 0, "left_wrist"), [60, 70 + 20 / 1.5]);
  });

  test("leaves invisible what was", () => {
    const moved = retarget(track([arm, { left_wrist: [1, 1] }]), track([arm]));
    expect(frameCount(moved)).toBe(2);
    for (let k = 0; k < 17; k++) expect(keypointAt(moved, 1, k).visibility).toBe(0);
    expect(keypointAt(moved, 0, 0).visibility).toBe(0);
  });

  test("says what it needs", () => {
    expect(() => retarget(track([{}]), track([arm]))).toThrow(
      "both shoulders must be visible in some frame of the driver",
    );
    expect(() => retarget(track([arm]), track([{}]))).toThrow("both shoulders must be visible in the reference");
  });
});
