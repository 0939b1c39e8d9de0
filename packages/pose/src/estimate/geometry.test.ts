import { describe, expect, test } from "vitest";
import { bodyAndHands59 } from "../keypoints.ts";
import { exchangeSides } from "./estimator.ts";
import { handSquare, wristSquare } from "./hands.ts";
import { bodySquare } from "./movenet.ts";
import type { Found } from "./movenet.ts";
import { decodeSimcc } from "./simcc.ts";
import { cropSquare, fromSquare, wholeSquare } from "./square.ts";

/** A picture whose red is x and whose green is y. */
function ramp(width: number, height: number): { width: number; height: number; data: Uint8ClampedArray } {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data.set([x, y, 0, 255], 4 * (y * width + x));
  return { width, height, data };
}

describe("cropSquare", () => {
  test("is the picture itself where the square has its size", () => {
    const image = ramp(4, 4);
    const crop = cropSquare(image, wholeSquare(image), 4);
    expect([...crop]).toEqual(Array.from({ length: 16 }, (_, i) => [i % 4, Math.floor(i / 4), 0]).flat());
  });

  test("takes means when it shrinks", () => {
    // pixels 0 to 7 in four pairs
    const crop = cropSquare(ramp(8, 8), { x: 4, y: 4, size: 8, angle: 0 }, 4);
    expect([...crop].filter((_, i) => i % 3 === 0).slice(0, 4)).toEqual([0.5, 2.5, 4.5, 6.5]);
  });

  test("has nothing outside of the picture", () => {
    const crop = cropSquare(ramp(40, 20), wholeSquare({ width: 40, height: 20 }), 4);
    // but for rounding, at a border that falls between two pixels
    expect(Math.max(...crop.slice(0, 12))).toBeLessThan(1e-12);
  });

  test("turns with the square, as fromSquare says", () => {
    const square = { x: 32, y: 30, size: 16, angle: 0.7 };
    const crop = cropSquare(ramp(64, 64), square, 16);
    // the centre of pixel (10, 3), which reads its own coordinates less half a pixel
    const { x, y } = fromSquare(square, 10.5 / 16, 3.5 / 16);
    expect(crop[3 * (3 * 16 + 10)]).toBeCloseTo(x - 0.5, 3);
    expect(crop[3 * (3 * 16 + 10) + 1]).toBeCloseTo(y - 0.5, 3);
  });
});

/** COCO's points, unseen but for those given. */
function body(points: Readonly<Record<number, readonly [number, number]>>): Found[] {
  return Array.from({ length: 17 }, (_, k) => {
    const [x = 0, y = 0] = points[k] ?? [];
    return { x, y, score: points[k] ? 0.9 : 0 };
  });
}

describe("wristSquare", () => {
  test("lies beyond the wrist and looks along the forearm", () => {
    // left elbow at (100, 100), wrist 40 to the right of it
    const square = wristSquare(body({ 7: [100, 100], 9: [140, 100] }), "left");
    expect(square).toEqual({ x: 154, y: 100, size: 60, angle: Math.PI / 2 });
  });

  test("is as large as shoulders say where the forearm points at the viewer", () => {
    const square = wristSquare(body({ 5: [150, 50], 6: [50, 50], 7: [150, 100], 9: [151, 100] }), "left");
    expect(square?.size).toBeCloseTo(1.5 * 60, 6);
  });

  test("is nowhere without the wrist", () => {
    expect(wristSquare(body({ 7: [100, 100], 9: [140, 100] }), "right")).toBeNull();
  });
});

describe("handSquare", () => {
  test("turns with the hand and holds it with room", () => {
    // a hand that points right: wrist at the origin, middle knuckle at (10, 0), a finger's tip at (20, 5)
    const points = Array.from({ length: 21 }, (_, k) => ({ x: k === 0 ? 0 : 10, y: 0 }));
    points[12] = { x: 20, y: 5 };
    const square = handSquare(points);
    expect(square.angle).toBeCloseTo(Math.PI / 2, 6);
    expect(square.size).toBeCloseTo(40, 6);
    // the middle, a tenth of the length towards the fingers
    expect(square.x).toBeCloseTo(12, 6);
    expect(square.y).toBeCloseTo(2.5, 6);
  });
});

describe("bodySquare", () => {
  test("surrounds the hips with room for limbs", () => {
    const small = body({ 5: [110, 80], 6: [90, 80], 11: [105, 120], 12: [95, 120] });
    // the torso reaches 40 from the hips: 1.9 × 40 on either side
    expect(bodySquare(small, { width: 400, height: 400 })).toEqual({ x: 100, y: 120, size: 152, angle: 0 });
  });

  test("is nowhere without hips, or where it would be the whole picture", () => {
    expect(bodySquare(body({ 5: [110, 80], 6: [90, 80] }), { width: 400, height: 400 })).toBeNull();
    const large = body({ 5: [300, 20], 6: [100, 20], 11: [300, 380], 12: [100, 380] });
    expect(bodySquare(large, { width: 400, height: 400 })).toBeNull();
  });
});

describe("exchangeSides", () => {
  test("names left what was right, in body and hands", () => {
    const points = new Float32Array(59 * 3);
    points.set([0.25, 0.5, 1], 3 * 9);
    points.set([0.125, 0.5, 1], 3 * 17);
    const exchanged = exchangeSides(points, bodyAndHands59);
    expect(exchanged.slice(30, 33)).toEqual(Float32Array.of(0.25, 0.5, 1));
    expect(exchanged[3 * 38]).toBe(0.125);
    expect(exchanged.slice(27, 30)).toEqual(new Float32Array(3));
  });
});

describe("decodeSimcc", () => {
  test("finds the greatest bin of each axis, two bins a pixel", () => {
    const x = Float32Array.of(0, 0, 0, 0.9, 0, 0, 0.5, 0, 0, 0, 0, 0);
    const y = Float32Array.of(0, 0.7, 0, 0, 0, 0, 0, 0.25);
    expect(decodeSimcc(x, y, { keypoints: 2, width: 3, height: 2 })).toEqual([
      { x: 1.5, y: 0.5, score: Math.fround(0.7) },
      { x: 0, y: 1.5, score: 0.25 },
    ]);
  });
});
