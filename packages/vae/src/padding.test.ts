import { realize, Rng } from "@omni/core";
import type { Tensor } from "@omni/core";
import { describe, expect, test } from "vitest";
import { decodePadded, encodePadded, paddedSize } from "./padding.ts";
import { awakeVae, tinyWan } from "./tiny.fixture.ts";

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];

describe("padding", () => {
  const vae = awakeVae(tinyWan);

  test("goes up to 1 + 4n frames and multiples of the compression", () => {
    expect(paddedSize(vae, { frames: 7, height: 9, width: 8 })).toEqual({ frames: 9, height: 12, width: 8 });
    expect(paddedSize(vae, { frames: 1, height: 1, width: 1 })).toEqual({ frames: 1, height: 4, width: 4 });
  });

  test("a video of odd size comes back in its size", async () => {
    const video = new Rng(1).uniform([1, 3, 3, 7, 10], -1, 1);
    const padded = encodePadded(vae, video);
    expect(padded.latents.shape).toEqual([1, 3, 2, 2, 3]);
    const back = decodePadded(vae, padded);
    expect(back.shape).toEqual(video.shape);
    await realize([back]);
  });

  test("repeats the last frame, row and column", async () => {
    const video = new Rng(2).uniform([1, 3, 5, 4, 4], -1, 1);
    const cut = video.slice(2, 0, 4);
    const held = encodePadded(vae, cut).latents;
    const [a, b] = [video.slice(2, 0, 4), cut.slice(2, 3, 4)];
    const whole = vae.encode(
      a
        .pad([
          [0, 0],
          [0, 0],
          [0, 1],
          [0, 0],
          [0, 0],
        ])
        .add(
          b.pad([
            [0, 0],
            [0, 0],
            [4, 0],
            [0, 0],
            [0, 0],
          ]),
        ),
    );
    expect(await values(held)).toEqual(await values(whole));
  });

  test("a picture is a video of one frame", async () => {
    const picture = new Rng(3).uniform([1, 3, 4, 8], -1, 1);
    const { latents } = encodePadded(vae, picture);
    expect(await values(latents)).toEqual(await values(vae.encode(picture.unsqueeze(2))));
    expect(() => encodePadded(vae, picture.squeeze(0))).toThrow("must be [B, 3, F, H, W]");
  });
});
