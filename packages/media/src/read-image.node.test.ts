import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { type Image, type Rgb } from "./image.ts";
import { readImage } from "./read-image.ts";
import { encodeImage } from "./write-image.ts";

/** Left half red, right half blue, with a green pixel block at the top left: tells every orientation apart. */
const width = 24;
const height = 16;
const red: Rgb = [220, 30, 30];
const green: Rgb = [30, 200, 30];
const blue: Rgb = [30, 30, 220];

function colourAt(x: number, y: number): Rgb {
  return x < 8 && y < 8 ? green : x < width / 2 ? red : blue;
}

const rgb = Uint8Array.from({ length: 3 * width * height }, (_, i) => {
  const pixel = Math.floor(i / 3);
  return colourAt(pixel % width, Math.floor(pixel / width))[i % 3] ?? 0;
});

const picture = () => sharp(rgb, { raw: { width, height, channels: 3 } });

function pixel(image: Image, x: number, y: number): number[] {
  return [...image.data.subarray(4 * (y * image.width + x), 4 * (y * image.width + x) + 4)];
}

function expectColour(image: Image, x: number, y: number, colour: Rgb, tolerance: number): void {
  const got = pixel(image, x, y);
  for (let c = 0; c < 3; c++)
    expect(Math.abs((got[c] ?? 0) - (colour[c] ?? 0)), `${got.join()} is ${colour.join()}`).toBeLessThanOrEqual(
      tolerance,
    );
}

describe("readImage", () => {
  test.each([
    ["PNG", () => picture().png().toBuffer(), 0],
    ["palette PNG", () => picture().png({ palette: true }).toBuffer(), 2],
    ["16-bit PNG", () => picture().toColourspace("rgb16").png().toBuffer(), 1],
    ["interlaced PNG", () => picture().png({ progressive: true }).toBuffer(), 0],
    ["JPEG", () => picture().jpeg({ quality: 98 }).toBuffer(), 8],
    ["progressive JPEG", () => picture().jpeg({ quality: 98, progressive: true }).toBuffer(), 8],
    ["WebP", () => picture().webp({ lossless: true }).toBuffer(), 0],
    ["GIF", () => picture().gif().toBuffer(), 8],
    ["AVIF", () => picture().avif({ quality: 95 }).toBuffer(), 12],
    ["TIFF", () => picture().tiff({ compression: "deflate" }).toBuffer(), 0],
    ["16-bit TIFF", () => picture().toColourspace("rgb16").tiff({ compression: "lzw" }).toBuffer(), 1],
    // Through an ink profile and back: saturated colours lie outside its gamut.
    ["CMYK JPEG", () => picture().toColourspace("cmyk").withIccProfile("cmyk").jpeg({ quality: 98 }).toBuffer(), 100],
    ["Display P3 JPEG", () => picture().withIccProfile("p3").jpeg({ quality: 98 }).toBuffer(), 8],
  ] as [string, () => Promise<Buffer>, number][])("reads %s", async (_, make, tolerance) => {
    const image = await readImage(await make());
    expect(image).toMatchObject({ width, height });
    expect(image.data).toHaveLength(4 * width * height);
    expectColour(image, 3, 3, green, tolerance);
    expectColour(image, 4, 12, red, tolerance);
    expectColour(image, 20, 8, blue, tolerance);
    expect(pixel(image, 0, 0)[3]).toBe(255);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])("turns EXIF orientation %i upright", async (orientation) => {
    const image = await readImage(await picture().withMetadata({ orientation }).png().toBuffer());
    const turned = orientation > 4;
    expect([image.width, image.height]).toEqual(turned ? [height, width] : [width, height]);
    // Where the stored top left corner goes: TIFF 6.0, Orientation.
    const right = [2, 3, 6, 7].includes(orientation);
    const bottom = [3, 4, 7, 8].includes(orientation);
    expectColour(image, right ? image.width - 3 : 3, bottom ? image.height - 3 : 3, green, 0);
    expectColour(image, right ? 3 : image.width - 3, bottom ? 3 : image.height - 3, blue, 0);
  });

  test("reads grey, 8 and 16 bits, as equal channels", async () => {
    const grey = sharp(Uint8Array.of(0, 100, 200, 255), { raw: { width: 4, height: 1, channels: 1 } });
    const images = [
      await readImage(await grey.clone().toColourspace("b-w").png().toBuffer()),
      await readImage(await grey.clone().toColourspace("grey16").png().toBuffer()),
    ];
    for (const image of images) {
      expect(pixel(image, 1, 0).map((v) => Math.abs(v - 100) <= 1)).toEqual([true, true, true, false]);
      expect(pixel(image, 3, 0)).toEqual([255, 255, 255, 255]);
    }
  });

  test("keeps transparency and the colour below it", async () => {
    const data = Uint8Array.of(200, 10, 20, 128, 1, 2, 3, 0);
    const image = await readImage(
      await sharp(data, { raw: { width: 2, height: 1, channels: 4 } })
        .png()
        .toBuffer(),
    );
    expect([...image.data]).toEqual([...data]);
  });

  test("takes the first frame of an animation", async () => {
    const frames = new Uint8Array(2 * 3 * 16).fill(255, 48);
    const raw = { width: 4, height: 8, channels: 3, pageHeight: 4 } as const;
    const image = await readImage(
      await sharp(frames, { raw })
        .gif({ delay: [100, 100] })
        .toBuffer(),
    );
    expect([image.width, image.height, image.data[0]]).toEqual([4, 4, 0]);
  });

  test("reads a single pixel, and what encodeImage wrote", async () => {
    const image = { width: 1, height: 1, data: Uint8ClampedArray.of(1, 2, 3, 255) };
    expect(await readImage(await encodeImage(image))).toEqual(image);
  });

  test("refuses sizes above the limits before decoding", async () => {
    const create = { width: 30_000, height: 4, channels: 3, background: "red" } as const;
    const wide = await sharp({ create }).png().toBuffer();
    await expect(readImage(wide)).rejects.toMatchObject({ kind: "too-large" });
    await expect(readImage(wide)).rejects.toThrow("the picture is 30000x4; at most 16384 pixels a side");
    expect(await readImage(wide, { maxSide: 30_000 })).toMatchObject({ width: 30_000, height: 4 });
    await expect(readImage(wide, { maxSide: 30_000, maxPixels: 1000 })).rejects.toMatchObject({ kind: "too-large" });
  });
});

describe("readImage of BMP", () => {
  /** A bitmap of 2x2 pixels: red and green above blue and white. */
  function bmp(bits: 24 | 32 | 8, topDown: boolean): Uint8Array {
    const colours = [
      [255, 0, 0],
      [0, 255, 0],
      [0, 0, 255],
      [255, 255, 255],
    ];
    const palette = bits === 8 ? 16 : 0;
    const stride = bits === 8 ? 4 : 8;
    const bytes = new Uint8Array(54 + palette + 2 * stride);
    const view = new DataView(bytes.buffer);
    bytes.set([0x42, 0x4d]);
    view.setUint32(2, bytes.length, true);
    view.setUint32(10, 54 + palette, true);
    view.setUint32(14, 40, true);
    view.setInt32(18, 2, true);
    view.setInt32(22, topDown ? -2 : 2, true);
    view.setUint16(26, 1, true);
    view.setUint16(28, bits, true);
    for (const [index, [r = 0, g = 0, b = 0]] of colours.entries()) {
      if (bits === 8) bytes.set([b, g, r, 0], 54 + 4 * index);
      const row = topDown ? index >> 1 : 1 - (index >> 1);
      const at = 54 + palette + row * stride + ((index & 1) * bits) / 8;
      bytes.set(bits === 8 ? [index] : [b, g, r], at);
    }
    return bytes;
  }

  test.each([24, 32, 8] as const)("reads %i bits, bottom up and top down", async (bits) => {
    for (const topDown of [false, true]) {
      const { data } = await readImage(bmp(bits, topDown));
      expect([...data]).toEqual([255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255, 255, 255, 255]);
    }
  });

  test("refuses one that is cut short", async () => {
    await expect(readImage(bmp(24, false).subarray(0, 60))).rejects.toMatchObject({ kind: "corrupt" });
  });
});
