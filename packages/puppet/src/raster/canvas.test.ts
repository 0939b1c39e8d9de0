import { describe, expect, test } from "vitest";
import { Canvas } from "./canvas.ts";
import { identity, place } from "./matrix.ts";
import { Path } from "./path.ts";
import { pattern } from "./paint.ts";

const white = [255, 255, 255] as const;

function areaOf(canvas: Canvas): number {
  let sum = 0;
  for (let i = 0; i < canvas.pixels.length; i += 3) sum += (canvas.pixels[i] ?? 0) / 255;
  return sum;
}

describe("canvas", () => {
  test("covers the exact area of a rectangle between pixels", () => {
    const canvas = new Canvas(16, 16);
    canvas.fill(
      new Path().reset(identity).polygon([
        [2.25, 3.5],
        [7.75, 3.5],
        [7.75, 9.1],
        [2.25, 9.1],
      ]),
      white,
    );
    expect(areaOf(canvas)).toBeCloseTo(5.5 * 5.6, 3);
    expect(canvas.pixels[3 * (6 * 16 + 2)]).toBeCloseTo(255 * 0.75, 2);
  });

  test("covers the area of ellipses from hair-thin to large", () => {
    for (const [rx, ry] of [
      [20, 20],
      [12, 0.3],
      [3, 1],
      [0.4, 0.4],
    ] as const) {
      const canvas = new Canvas(48, 48);
      canvas.fill(new Path().reset(identity).ellipse(24.3, 23.8, rx, ry, 0.4), white);
      // Coverages under 0.2 % are left out.
      expect(Math.abs(areaOf(canvas) / (Math.PI * rx * ry) - 1)).toBeLessThan(0.005);
    }
  });

  test("unites overlapping parts of a path and cuts holes", () => {
    const canvas = new Canvas(32, 32);
    canvas.fill(new Path().reset(identity).capsule(8, 16, 4, 24, 16).capsule(8, 16, 4, 24, 16), white);
    const once = areaOf(canvas);
    // Twice the same edge counts twice where it covers pixels in part: at most half a pixel along the rim.
    expect(once).toBeLessThan(16 * 8 + Math.PI * 16 + 0.25 * (32 + 8 * Math.PI));
    const ring = new Canvas(32, 32);
    ring.fill(new Path().reset(identity).ellipse(16, 16, 10).hole(16, 16, 6), white);
    expect(ring.pixels[3 * (16 * 32 + 16)]).toBe(0);
    expect(areaOf(ring)).toBeCloseTo(Math.PI * 64, -1);
  });

  test("draws what lies partly or wholly outside without harm", () => {
    const canvas = new Canvas(8, 8);
    canvas.fill(new Path().reset(place(-20, -20)).ellipse(0, 0, 5), white);
    expect(areaOf(canvas)).toBe(0);
    canvas.fill(new Path().reset(place(100, 4)).ellipse(0, 0, 5), white);
    expect(areaOf(canvas)).toBe(0);
    canvas.fill(
      new Path().reset(identity).polygon([
        [-50, -50],
        [60, -50],
        [60, 60],
        [-50, 60],
      ]),
      white,
    );
    expect(areaOf(canvas)).toBeCloseTo(64, 3);
  });

  test("fills only inside the clip", () => {
    const canvas = new Canvas(16, 16);
    canvas.clip(new Path().reset(identity).ellipse(8, 8, 4));
    canvas.fill(new Path().reset(identity).ellipse(8, 8, 100), white, 3);
    expect(areaOf(canvas)).toBeCloseTo(Math.PI * 16, 0);
    expect(canvas.labels[0]).toBe(0);
    expect(canvas.labels[8 * 16 + 8]).toBe(3);
  });

  test("renders stripes finer than a pixel as their mean", () => {
    const canvas = new Canvas(16, 16);
    canvas.clear(pattern("striped", [0, 0, 0], white, identity, 0.05));
    for (let i = 0; i < 256; i++) expect(Math.abs((canvas.pixels[3 * i] ?? 0) - 127.5)).toBeLessThan(8);
  });
});
