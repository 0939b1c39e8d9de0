import { tensor } from "@omni/core";
import { describe, expect, test } from "vitest";
import { gatherWindows } from "./audio-window.ts";

/** Frames that each latent frame sees, by the definition: 4i - 3 - window … 4i + window, clamped to the clip. */
const definition = (latentFrames: number, window: number): number[][] =>
  Array.from({ length: latentFrames }, (_, i) =>
    Array.from({ length: 4 + 2 * window }, (_, s) =>
      Math.min(Math.max(4 * i - 3 - window + s, 0), 4 * (latentFrames - 1)),
    ),
  );

describe("gatherWindows", () => {
  test.each([
    [1, 2],
    [3, 0],
    [3, 1],
    [7, 2],
    [4, 3],
    [2, 6],
  ])(
    "%i latent frames with a window of %i get the frames they stand for and their neighbours",
    async (latentFrames, window) => {
      const frames = 1 + 4 * (latentFrames - 1);
      const numbers = tensor(
        Float32Array.from({ length: frames }, (_, i) => i),
        { shape: [1, frames, 1, 1] },
      );
      const gathered = gatherWindows(numbers, latentFrames, window);
      expect(gathered.shape).toEqual([1, latentFrames, 4 + 2 * window, 1]);
      expect([...(await gathered.data())]).toEqual(definition(latentFrames, window).flat());
    },
  );

  test("keeps the tokens of a frame together and in order", async () => {
    const values = tensor(
      Float32Array.from({ length: 2 * 5 * 2 * 3 }, (_, i) => i),
      { shape: [2, 5, 2, 3] },
    );
    const gathered = gatherWindows(values, 2, 0);
    const data = [...(await gathered.data())];
    // sample 1, latent frame 1, slot 0 = video frame 1: elements 36 … 41 of the source
    expect(data.slice(1 * 48 + 24, 1 * 48 + 30)).toEqual([36, 37, 38, 39, 40, 41]);
  });
});
