import { describe, expect, test } from "vitest";
import { oneEuro } from "./one-euro.ts";
import { frameCount, keypointAt } from "./track.ts";
import type { KeypointTrack } from "./track.ts";

function dot(xs: readonly (number | null)[]): KeypointTrack {
  const schema = { name: "dot", keypoints: ["dot"], edges: [], groups: {} };
  const points = Float32Array.from(xs.flatMap((x) => (x === null ? [0, 0, 0] : [x, 0.5, 1])));
  return { schema, fps: 25, width: 100, height: 100, points };
}
const xs = (track: KeypointTrack): number[] =>
  Array.from({ length: frameCount(track) }, (_, f) => keypointAt(track, f, 0).x);

describe("oneEuro", () => {
  test("keeps a point that stands still", () => {
    for (const x of xs(oneEuro(dot([0.25, 0.25, 0.25])))) expect(x).toBe(0.25);
  });

  test("follows the formula", () => {
    const f = (cutoff: number): number => 1 / (1 + 25 / (2 * Math.PI * cutoff));
    const speed = f(1) * 0.1 * 25;
    expect(xs(oneEuro(dot([0.5, 0.6]), { minCutoff: 2, beta: 3 }))[1]).toBeCloseTo(0.5 + f(2 + 3 * speed) * 0.1, 6);
  });

  test("halves jitter of a pixel at least, and lags a fast point by less than a frame", () => {
    const jitter = Array.from({ length: 50 }, (_, i) => 0.5 + (i % 2 ? 0.005 : -0.005));
    const calm = xs(oneEuro(dot(jitter))).slice(25);
    expect(Math.max(...calm) - Math.min(...calm)).toBeLessThan(0.005);
    const fast = Array.from({ length: 20 }, (_, i) => i * 0.04);
    expect(0.76 - (xs(oneEuro(dot(fast)))[19] ?? 0)).toBeLessThan(0.04);
  });

  test("begins anew after a gap", () => {
    expect(xs(oneEuro(dot([0.25, null, 0.75])))[2]).toBe(0.75);
  });
});
