import { describe, expect, test } from "vitest";
import { presets } from "./config.ts";
import { nearestSize } from "./sizes.ts";

const { sizes } = presets.nano.clip;

describe("nearestSize", () => {
  test.each([
    [
      { width: 512, height: 512 },
      { width: 64, height: 64 },
    ],
    [
      { width: 353, height: 641 },
      { width: 48, height: 80 },
    ],
    [
      { width: 600, height: 800 },
      { width: 48, height: 80 },
    ],
    [
      { width: 1920, height: 1080 },
      { width: 80, height: 48 },
    ],
    [
      { width: 1, height: 1000 },
      { width: 48, height: 80 },
    ],
  ])("takes for %o the size %o", (picture, size) => {
    expect(nearestSize(picture, sizes)).toEqual(size);
  });
});
