import { Rng, ShapeError, tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import { beforeAll, describe, expect, test } from "vitest";
import { ConfigError } from "../config-error.ts";
import type { Denoiser } from "../denoiser.ts";
import type { DitInputs } from "../inputs.ts";
import { distance, randomize, tinyInputs } from "../tiny-model.ts";
import { WanDit } from "./model.ts";
import { tinyWan } from "./tiny.fixture.ts";

// outputs are of size 1; the same sums in another order differ by a few units in the last place
const SAME = 2e-5;
const DIFFERENT = 1e-3;

const foreign = {
  motion: null,
  reference: null,
  audio: null,
  pose: null,
} as const;
const inputs = (): DitInputs & { readonly text: Tensor } => ({ ...tinyInputs(), ...foreign });

let model: WanDit;
beforeAll(async () => {
  model = await randomize(new WanDit(tinyWan));
});

describe("WanDit", () => {
  test("answers as a Denoiser with one velocity for each noised latent", () => {
    const denoiser: Denoiser = model;
    expect(denoiser.forward(inputs()).shape).toEqual(inputs().noisy.shape);
  });

  test("depends on time and text, and on nothing beyond a text's padding", async () => {
    const full = await model.forward(inputs()).realize();
    expect(await distance(full, model.forward({ ...inputs(), t: tensor([0.1, 0.9]) }))).toBeGreaterThan(DIFFERENT);
    expect(await distance(full, model.forward({ ...inputs(), text: inputs().text.mul(2) }))).toBeGreaterThan(DIFFERENT);
    const padded = inputs().text.pad(
      [
        [0, 0],
        [0, 1],
        [0, 0],
      ],
      3,
    );
    const mask = [1, 1, 1, 1, 1, 0];
    const textMask = tensor([mask, mask]);
    expect(await distance(full, model.forward({ ...inputs(), text: padded, textMask }))).toBeLessThan(SAME);
  });

  test("starts as zero velocity", async () => {
    const fresh = new WanDit(tinyWan);
    expect((await fresh.forward(inputs()).data()).every((v) => v === 0)).toBe(true);
  });

  test("refuses conditions that it was not trained with", () => {
    const audio = new Rng(1).normal([2, 9, 2, 5]);
    expect(() => model.forward({ ...inputs(), audio })).toThrow(
      new ConfigError("WanDit: takes text alone, audio must be null"),
    );
    expect(() => model.forward({ ...inputs(), text: null })).toThrow(ConfigError);
    expect(() => model.forward({ ...inputs(), t: tensor([1]) })).toThrow(ShapeError);
  });
});
