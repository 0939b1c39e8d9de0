import { describe, expect, test } from "vitest";
import { bt601, bt709, fromI420, toI420 } from "./i420.ts";
import { type Rgb, createImage } from "./image.ts";

describe("I420", () => {
  test.each([
    // ITU-R BT.709-6 gives these for 100 % bars in 8 bits.
    [
      [255, 255, 255],
      [235, 128, 128],
    ],
    [
      [0, 0, 0],
      [16, 128, 128],
    ],
    [
      [255, 0, 0],
      [63, 102, 240],
    ],
    [
      [0, 255, 0],
      [173, 42, 26],
    ],
    [
      [0, 0, 255],
      [32, 240, 118],
    ],
  ] as [Rgb, Rgb][])("%j is %j in BT.709", (rgb, yuv) => {
    const { data } = toI420(createImage(2, 2, rgb).data, 2, 2, 4);
    expect([data[0], data[4], data[5]]).toEqual(yuv);
  });

  test.each([bt709, bt601])("%j comes back within 2 levels", (space) => {
    for (const rgb of [
      [20, 60, 120],
      [250, 10, 200],
      [128, 128, 128],
    ] as Rgb[]) {
      const image = fromI420(toI420(createImage(4, 2, rgb).data, 4, 2, 4, space), space);
      for (let c = 0; c < 3; c++) expect(Math.abs((image.data[c] ?? 0) - (rgb[c] ?? 0))).toBeLessThanOrEqual(2);
    }
  });

  test("full range maps 0 and 255 to themselves", () => {
    const grey = { width: 2, height: 1, data: Uint8Array.of(0, 255, 128, 128) };
    expect([...fromI420(grey, { ...bt709, fullRange: true }).data]).toEqual([0, 0, 0, 255, 255, 255, 255, 255]);
  });

  test("three channels serve as well as four", () => {
    const rgb = Uint8Array.from({ length: 12 }, (_, i) => 20 * i);
    const rgba = Uint8Array.from({ length: 16 }, (_, i) => (i % 4 === 3 ? 255 : 20 * (i - Math.floor(i / 4))));
    expect(toI420(rgb, 2, 2, 3)).toEqual(toI420(rgba, 2, 2, 4));
  });
});
