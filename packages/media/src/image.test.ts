import { describe, expect, test } from "vitest";
import { createImage, cropImage, fitToAspect, flattenImage } from "./image.ts";
import { tile } from "./tile.ts";

/** A picture whose red is the column and whose green is the row. */
function grid(width: number, height: number) {
  const image = createImage(width, height, [0, 0, 0]);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) image.data.set([x, y], 4 * (y * width + x));
  return image;
}

describe("fitToAspect", () => {
  test.each([
    [200, 100, 1, "crop", 100, 100],
    [100, 200, 1, "crop", 100, 100],
    [200, 100, 1, "pad", 200, 200],
    [100, 200, 1, "pad", 200, 200],
    [353, 641, 0.6, "crop", 353, 588],
    [1, 1, 16 / 9, "crop", 1, 1],
  ] as const)("%ix%i to %d by %s is %ix%i", (width, height, aspect, mode, outWidth, outHeight) => {
    expect(fitToAspect(createImage(width, height), aspect, { mode })).toMatchObject({
      width: outWidth,
      height: outHeight,
    });
  });

  test("crops around the focus without moving pixels", () => {
    const centre = fitToAspect(grid(200, 100), 1);
    expect([centre.data[0], centre.data[1]]).toEqual([50, 0]);
    const right = fitToAspect(grid(200, 100), 1, { focus: [1, 0.5] });
    expect([right.data[0], right.data[1]]).toEqual([100, 0]);
  });

  test("pads with the background", () => {
    const image = fitToAspect(createImage(2, 4, [9, 9, 9]), 1, { mode: "pad", background: [1, 2, 3] });
    expect([...image.data.subarray(0, 8)]).toEqual([1, 2, 3, 255, 9, 9, 9, 255]);
  });

  test("refuses a ratio that is not positive", () => {
    expect(() => fitToAspect(createImage(2, 2), 0)).toThrow("must be a positive number");
  });
});

describe("cropImage", () => {
  test("fills what lies outside", () => {
    const image = cropImage(grid(3, 3), -1, 1, 3, 3, [7, 7, 7]);
    expect([image.data[0], image.data[4], image.data[5], image.data[4 * 6 + 4]]).toEqual([7, 0, 1, 7]);
  });

  test("is all background beside the picture", () => {
    expect([...cropImage(grid(2, 2), 5, 0, 1, 1).data]).toEqual([0, 0, 0, 0]);
  });
});

describe("flattenImage", () => {
  test("mixes by alpha", () => {
    const image = { width: 2, height: 1, data: Uint8ClampedArray.of(100, 0, 0, 128, 5, 6, 7, 0) };
    // 100 · 128/255 + 200 · 127/255 = 149.8
    expect([...flattenImage(image, [200, 200, 200]).data]).toEqual([150, 100, 100, 255, 200, 200, 200, 255]);
  });
});

describe("tile", () => {
  test("lays pictures out in rows", () => {
    const sheet = tile([createImage(2, 3, [1, 1, 1]), createImage(4, 2, [2, 2, 2]), createImage(1, 1, [3, 3, 3])], 2, {
      gap: 1,
    });
    expect([sheet.width, sheet.height]).toEqual([11, 9]);
    const red = (x: number, y: number) => sheet.data[4 * (y * sheet.width + x)];
    expect([red(0, 0), red(1, 1), red(6, 1), red(1, 5), red(2, 5)]).toEqual([255, 1, 2, 3, 255]);
  });

  test("refuses to lay out nothing", () => {
    expect(() => tile([], 2)).toThrow("at least one picture");
  });
});
