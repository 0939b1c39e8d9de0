import { describe, expect, test } from "vitest";
import { createImage, cropImage } from "@omni/media";
import type { Image } from "@omni/media";
import { upperBody8 } from "@omni/pose";
import { fitPicture } from "./picture.ts";
import { cropPose } from "./pose-file.ts";

/** A red disc of a quarter of the shorter side's width in the middle of a grey picture. */
function disc(width: number, height: number): Image {
  const image = createImage(width, height, [120, 120, 120]);
  const radius = Math.min(width, height) / 4;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (Math.hypot(x + 0.5 - width / 2, y + 0.5 - height / 2) < radius)
        image.data.set([220, 30, 30], 4 * (y * width + x));
  return image;
}

/** Sides of the box around what is red, pixels. */
function redBox({ width, data }: Image): [width: number, height: number] {
  const xs: number[] = [];
  const ys: number[] = [];
  for (let i = 0; i < data.length; i += 4)
    if ((data[i] ?? 0) - (data[i + 1] ?? 0) > 95) {
      xs.push((i / 4) % width);
      ys.push(Math.floor(i / 4 / width));
    }
  return [Math.max(...xs) - Math.min(...xs) + 1, Math.max(...ys) - Math.min(...ys) + 1];
}

describe("fitPicture", () => {
  const sizes = [
    [353, 641],
    [1000, 320],
    [301, 300],
  ] as const;

  test.each(sizes.flatMap(([width, height]) => (["crop", "pad"] as const).map((fit) => [width, height, fit] as const)))(
    "keeps a circle of a %d×%d picture round (%s)",
    (width, height, fit) => {
      const { picture } = fitPicture(disc(width, height), { width: 48, height: 80 }, fit);
      expect([picture.width, picture.height]).toEqual([48, 80]);
      const [across, down] = redBox(picture);
      expect(Math.abs(across - down)).toBeLessThanOrEqual(1);
    },
  );

  test("borders a picture in its own colour", () => {
    const { picture } = fitPicture(disc(400, 100), { width: 64, height: 64 }, "pad");
    expect([...cropImage(picture, 0, 0, 1, 1).data]).toEqual([120, 120, 120, 255]);
  });
});

describe("cropPose", () => {
  test("moves a point with the picture", () => {
    const image = disc(400, 200);
    for (const fit of ["crop", "pad"] as const) {
      const { box } = fitPicture(image, { width: 64, height: 64 }, fit);
      const points = Float32Array.from({ length: 24 }, (_, i) => (i % 3 === 2 ? 1 : 0.5));
      const track = { schema: upperBody8, fps: 25, width: 400, height: 200, points };
      const [x, y, visibility] = cropPose(track, image, box).points;
      expect([x, y, visibility]).toEqual([0.5, 0.5, 1]);
    }
  });
});
