import { Rng, ShapeError, tensor } from "@omni/core";
import { gradcheck, sample } from "@omni/core/testing";
import { describe, expect, test } from "vitest";
import { perceptualDistance } from "./perceptual.ts";
import type { PerceptualFeatures } from "./perceptual.ts";
import { VggFeatures, vggPresets } from "./vgg.ts";

const pixels: PerceptualFeatures = { layers: (x) => [x], channelWeights: null };

describe("perceptualDistance", () => {
  // one pixel, two frames: colours as directions
  const a = tensor([1, 0, 3, 4, 0, 0], { shape: [1, 3, 2, 1, 1] }); // (1, 3, 0) and (0, 4, 0)
  const b = tensor([2, 5, 6, 0, 0, 0], { shape: [1, 3, 2, 1, 1] }); // (2, 6, 0) and (5, 0, 0)

  test("compares directions of features, frame by frame", async () => {
    // the first frames agree in direction; of the second, (0, 1, 0) and (1, 0, 0) are √2 apart
    expect(await perceptualDistance(pixels, a, b).item()).toBeCloseTo((0 + 2) / 2, 5);
    expect(await perceptualDistance(pixels, a, a).item()).toBe(0);
  });

  test("counts channels by their weights, and adds layers", async () => {
    const weighted = { ...pixels, channelWeights: [tensor([3, 0, 7])] };
    expect(await perceptualDistance(weighted, a, b).item()).toBeCloseTo(3 / 2, 5);
    const twice: PerceptualFeatures = { layers: (x) => [x, x.mul(2)], channelWeights: null };
    expect(await perceptualDistance(twice, a, b).item()).toBeCloseTo(2, 5);
  });

  test("has the gradient that differences give", async () => {
    const features = await new VggFeatures({ widths: [4, 6], convs: [1, 1] }, new Rng(1)).realize();
    const video = { shape: [1, 3, 2, 4, 4] };
    const [x, y] = [sample(video.shape, 2), sample(video.shape, 3)];
    // kinks of ReLU and maximum within a step of 1e-3 are rare and small
    await gradcheck((p, q) => perceptualDistance(features, p, q), [x, y], { step: 1e-3, tolerance: 1e-2 });
  });

  test("stays differentiable where features are zero", async () => {
    const dark: PerceptualFeatures = { layers: (x) => [x.relu()], channelWeights: null };
    const black = sample([1, 3, 1, 2, 2], 4, -1, -0.5);
    await gradcheck((p) => perceptualDistance(dark, p, p.mul(0.5)), [black]);
  });

  test("grows with noise under random weights", async () => {
    const features = await new VggFeatures(vggPresets.narrow, new Rng(5)).realize();
    const video = new Rng(6).uniform([1, 3, 1, 16, 16], -1, 1);
    const noise = new Rng(7).normal(video.shape);
    const at = (d: number): Promise<number> => perceptualDistance(features, video, video.add(noise.mul(d))).item();
    const [little, some, much] = [await at(0.01), await at(0.1), await at(1)];
    expect(little).toBeGreaterThan(0);
    expect(some).toBeGreaterThan(little);
    expect(much).toBeGreaterThan(some);
  });

  test("wants two videos of one shape", () => {
    expect(() => perceptualDistance(pixels, a, b.slice(2, 0, 1))).toThrow(ShapeError);
    expect(() => perceptualDistance({ layers: () => [], channelWeights: null }, a, b)).toThrow("one layer or more");
  });
});
