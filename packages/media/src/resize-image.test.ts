import { describe, expect, test } from "vitest";
import { type Image, createImage } from "./image.ts";
import { coverBox, resizeImage } from "./resize-image.ts";
import { noise } from "./testing/signals.ts";

function randomImage(width: number, height: number, seed: number, opaque = true): Image {
  const data = Uint8ClampedArray.from(noise(4 * width * height, seed, 127), (x) => x + 128);
  if (opaque) for (let i = 3; i < data.length; i += 4) data[i] = 255;
  return { width, height, data };
}

/** The definition, one pixel and channel at a time: Σ w(i) x(i) / Σ w(i). */
function reference(image: Image, width: number, height: number, x: number, y: number, channel: number): number {
  const weight = (at: number, size: number, outputs: number, o: number) => {
    const scale = size / outputs;
    const t = Math.abs((at + 0.5 - (o + 0.5) * scale) / Math.max(1, scale));
    return t >= 2 ? 0 : t >= 1 ? -0.5 * t ** 3 + 2.5 * t ** 2 - 4 * t + 2 : 1.5 * t ** 3 - 2.5 * t ** 2 + 1;
  };
  let sum = 0;
  let total = 0;
  for (let row = 0; row < image.height; row++) {
    for (let column = 0; column < image.width; column++) {
      const w = weight(column, image.width, width, x) * weight(row, image.height, height, y);
      sum += w * (image.data[4 * (row * image.width + column) + channel] ?? 0);
      total += w;
    }
  }
  return Math.min(255, Math.max(0, sum / total));
}

/** FNV-1a, 32 bits. */
function checksum(bytes: Uint8ClampedArray): string {
  return bytes.reduce((hash, byte) => Math.imul(hash ^ byte, 0x0100_0193) >>> 0, 0x811c_9dc5).toString(16);
}

describe("resizeImage", () => {
  test("to the same size returns the same pixels", () => {
    const image = randomImage(17, 5, 1);
    expect(resizeImage(image, 17, 5).data).toEqual(image.data);
  });

  test.each([
    [31, 20, 7, 9],
    [5, 6, 23, 17],
    [1, 1, 4, 3],
    [9, 9, 1, 1],
  ])("%ix%i to %ix%i follows the definition to half a level", (fromWidth, fromHeight, width, height) => {
    const image = randomImage(fromWidth, fromHeight, 2);
    const out = resizeImage(image, width, height);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let c = 0; c < 3; c++) {
          const difference = (out.data[4 * (y * width + x) + c] ?? 0) - reference(image, width, height, x, y, c);
          expect(Math.abs(difference)).toBeLessThan(0.51);
        }
      }
    }
  });

  test("gives the same bytes in every engine", () => {
    // Computed once with this code in Node 20; only exact IEEE operations are used, so any engine must agree.
    expect(checksum(resizeImage(randomImage(61, 47, 3), 32, 32).data)).toBe("36866ad3");
    expect(checksum(resizeImage(randomImage(20, 30, 4, false), 55, 41).data)).toBe("a5c4714e");
  });

  test("does not let the colour of transparent pixels bleed", () => {
    const image = createImage(4, 1, [255, 0, 0]);
    image.data.set([0, 255, 0, 0, 0, 255, 0, 0], 8);
    const out = resizeImage(image, 2, 1);
    for (let x = 0; x < 2; x++) if ((out.data[4 * x + 3] ?? 0) > 0) expect(out.data[4 * x + 1]).toBe(0);
  });

  test("nearest keeps hard edges", () => {
    const image = randomImage(3, 2, 5);
    const out = resizeImage(image, 12, 8, { kernel: "nearest" });
    for (let x = 0; x < 12; x++) expect(out.data[4 * x]).toBe(image.data[4 * Math.floor(x / 4)]);
  });

  test("a box takes only that part", () => {
    const image = createImage(20, 10, [0, 0, 0]);
    for (let y = 0; y < 10; y++) for (let x = 10; x < 20; x++) image.data[4 * (y * 20 + x)] = 255;
    const out = resizeImage(image, 4, 4, { box: { x: 13, y: 0, width: 7, height: 7 } });
    expect(out.data[0]).toBe(255);
    const box = { x: 14, y: 0, width: 7, height: 7 };
    expect(() => resizeImage(image, 4, 4, { box })).toThrow("the box must lie inside the 20x10 picture");
  });

  test("coverBox has the target's ratio and follows the focus", () => {
    const image = createImage(353, 641);
    const box = coverBox(image, 48, 80);
    expect(box.width / box.height).toBeCloseTo(0.6, 12);
    expect(box.y + box.height / 2).toBeCloseTo(320.5, 9);
    expect(coverBox(image, 48, 80, [0.5, 0]).y).toBe(0);
    expect(resizeImage(image, 48, 80, { box })).toMatchObject({ width: 48, height: 80 });
  });

  test.each([0, -1, 1.5, NaN])("refuses a side of %d", (side) => {
    expect(() => resizeImage(createImage(2, 2), side, 2)).toThrow("sides must be positive whole numbers");
  });
});
