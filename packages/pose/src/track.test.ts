import { describe, expect, test } from "vitest";
import { coco17, upperBody8 } from "./keypoints.ts";
import { keypointsToJson, parseKeypoints } from "./keypoint-json.ts";
import { fillGaps, resampleTrack, smoothTrack } from "./smoothing.ts";
import { convertTrack, frameCount, keypointAt, trackTensor } from "./track.ts";
import type { KeypointTrack } from "./track.ts";

const single = { name: "dot", keypoints: ["dot"], edges: [], groups: {} };

/** A track of one point from rows of x, y, visibility. */
function dots(rows: readonly (readonly [number, number, number])[], fps = 10): KeypointTrack {
  return { schema: single, fps, width: 100, height: 50, points: Float32Array.from(rows.flat()) };
}

function xs(track: KeypointTrack): number[] {
  return Array.from({ length: frameCount(track) }, (_, f) => keypointAt(track, f, 0).x);
}

describe("trackTensor", () => {
  test("is frames by points by three", async () => {
    const t = trackTensor(dots([[0.25, 0.5, 1], [0, 0, 0]])); // prettier-ignore
    expect(t.shape).toEqual([2, 1, 3]);
    expect([...(await t.data())]).toEqual([0.25, 0.5, 1, 0, 0, 0]);
  });
});

describe("keypoint JSON", () => {
  const file = {
    schema: single,
    fps: 25,
    width: 100,
    height: 50,
    frames: [[[25, 25, 1]], [[50.126, 10, 0.5]]],
  };

  test("is in pixels, the track in fractions", () => {
    const track = parseKeypoints(file);
    expect(keypointAt(track, 0, 0)).toEqual({ x: 0.25, y: 0.5, visibility: 1 });
  });

  test("comes back as written, to hundredths of a pixel", () => {
    expect(keypointsToJson(parseKeypoints(file)).frames).toEqual([[[25, 25, 1]], [[50.13, 10, 0.5]]]);
  });

  test("names known schemas and spells out others", () => {
    const frames = [coco17.keypoints.map(() => [0, 0, 0])];
    const json = keypointsToJson(parseKeypoints({ ...file, schema: "coco17", frames }));
    expect(json.schema).toBe("coco17");
    expect(keypointsToJson(parseKeypoints(file)).schema).toEqual(single);
  });

  test("takes COCO's visibility 2 as visible", () => {
    const track = parseKeypoints({ ...file, frames: [[[1, 1, 2]]] });
    expect(keypointAt(track, 0, 0).visibility).toBe(1);
  });

  test.each([
    [{ ...file, schema: "hands" }, 'openpose-137 or spelled out, got "hands"'],
    [{ ...file, fps: 0 }, "fps must be above 0, got 0"],
    [{ ...file, frames: [[]] }, "frames[0] must have 1 points, got 0"],
    [{ ...file, frames: [[[1, "a", 1]]] }, 'frames[0][0] must be a number, got "a"'],
    [{ ...file, schema: { ...single, edges: [[0, 1]] } }, "schema.edges[0] must hold indices below 1, got 1"],
    [[], "keypoints must be an object, got []"],
  ])("refuses what breaks the format (%#)", (json, message) => {
    expect(() => parseKeypoints(json)).toThrow(message);
  });
});

describe("convertTrack", () => {
  test("moves points by name and hides those without a match", () => {
    const points = new Float32Array(17 * 3);
    points.set([0.5, 0.75, 1], 9 * 3); // left wrist
    const track = convertTrack({ schema: coco17, fps: 25, width: 1, height: 1, points }, upperBody8);
    expect(keypointAt(track, 0, 6)).toEqual({ x: 0.5, y: 0.75, visibility: 1 });
    expect(keypointAt(track, 0, 0).visibility).toBe(0);
  });
});

describe("fillGaps", () => {
  const gap = dots([
    [0, 0, 1],
    [9, 9, 0],
    [9, 9, 0],
    [0.75, 0.5, 0.5],
    [9, 9, 0],
  ]);

  test("bridges a gap in a straight line and leaves the ends", () => {
    const filled = fillGaps(gap, 2);
    expect(xs(filled)).toEqual([0, 0.25, 0.5, 0.75, 9]);
    expect(keypointAt(filled, 1, 0).visibility).toBe(0.5);
    expect(keypointAt(filled, 4, 0).visibility).toBe(0);
  });

  test("leaves gaps that are too long", () => {
    expect(fillGaps(gap, 1).points).toEqual(gap.points);
  });
});

describe("smoothTrack", () => {
  test("keeps a point that stands still", () => {
    const still = dots(Array.from({ length: 7 }, () => [0.25, 0.5, 1] as const));
    for (const x of xs(smoothTrack(still, 0.1))) expect(x).toBeCloseTo(0.25, 6);
  });

  test("weakens a jump by the Gaussian's centre weight", () => {
    const jump = dots(Array.from({ length: 9 }, (_, f) => [f === 4 ? 1 : 0, 0, 1] as const));
    // σ = 1 frame: 1 / Σ exp(-o²/2) over o = -3…3 = 1 / 2.5061
    expect(xs(smoothTrack(jump, 0.1))[4]).toBeCloseTo(1 / 2.5061, 3);
  });

  test("does not let invisible points pull", () => {
    const hidden = dots([
      [0.5, 0.5, 1],
      [9, 9, 0],
      [0.5, 0.5, 1],
    ]);
    const smooth = xs(smoothTrack(hidden, 0.1));
    expect(smooth[0]).toBeCloseTo(0.5, 6);
    expect(smooth[1]).toBe(9);
  });
});

describe("resampleTrack", () => {
  const ramp = dots(
    [0, 1, 2, 3].map((x) => [x, 0, 1] as const),
    10,
  );

  test("halves the rate by taking every second frame", () => {
    expect(xs(resampleTrack(ramp, 5))).toEqual([0, 2]);
  });

  test("doubles it by straight lines, standing still past the end", () => {
    expect(xs(resampleTrack(ramp, 20))).toEqual([0, 0.5, 1, 1.5, 2, 2.5, 3, 3]);
  });
});
