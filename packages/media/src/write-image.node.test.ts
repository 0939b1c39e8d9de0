import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createImage } from "./image.ts";
import { readImage } from "./read-image.ts";
import { writeAnimation, writeImage } from "./write-image.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "omni-image-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("writeImage", () => {
  test.each(["a.png", "a.jpg", "a.webp"])("writes %s", async (name) => {
    const path = join(folder, name);
    await writeImage(path, createImage(20, 10, [200, 100, 50]));
    const image = await readImage(path);
    expect(image).toMatchObject({ width: 20, height: 10 });
    expect(Math.abs((image.data[0] ?? 0) - 200)).toBeLessThan(4);
  });

  test("a PNG keeps every value", async () => {
    const image = { width: 2, height: 1, data: Uint8ClampedArray.of(1, 2, 3, 255, 250, 6, 7, 9) };
    await writeImage(join(folder, "b.png"), image);
    expect(await readImage(join(folder, "b.png"))).toEqual(image);
  });
});

describe("writeAnimation", () => {
  test.each(["clip.webp", "clip.gif"])("writes %s with its frames and times", async (name) => {
    const path = join(folder, name);
    const frames = [0, 1, 2, 3, 4].map((index) => createImage(16, 8, [50 * index, 0, 0]));
    await writeAnimation(path, frames, 12.5);
    const { pages, delay, loop, width, pageHeight } = await sharp(await readFile(path), { animated: true }).metadata();
    expect({ pages, delay, loop, width, pageHeight }).toEqual({
      pages: 5,
      delay: [80, 80, 80, 80, 80],
      loop: 0,
      width: 16,
      pageHeight: 8,
    });
  });
});
