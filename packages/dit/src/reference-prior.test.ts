import { Rng, tensor } from "@omni/core";
import { describe, expect, test } from "vitest";
import type { DitInputs } from "./inputs.ts";
import { referencePrior } from "./reference-prior.ts";

const none = {
  motion: null,
  text: null,
  textMask: null,
  textActive: null,
  audio: null,
  audioMask: null,
  pose: null,
  poseActive: null,
};
const shape = [2, 3, 2, 4, 4];
const variances = [0.3, 1, 0.1];
const rng = new Rng(5);

describe("referencePrior", () => {
  test("is the velocity's mean and deviation, checked by drawing clean latents around the reference", async () => {
    const variance = 0.3;
    const [time, mean, xt] = [0.4, 0.7, 0.2];
    // weights of candidates x_0 by prior and likelihood, summed on a grid
    let total = 0;
    let first = 0;
    let second = 0;
    for (let x0 = -6; x0 <= 6; x0 += 0.002) {
      const noise = (xt - (1 - time) * x0) / time;
      const weight = Math.exp(-((x0 - mean) ** 2) / (2 * variance) - noise ** 2 / 2);
      total += weight;
      first += weight * (noise - x0);
      second += weight * (noise - x0) ** 2;
    }
    const inputs: DitInputs = {
      ...none,
      noisy: tensor(new Float32Array(1).fill(xt), { shape: [1, 1, 1, 1, 1] }),
      t: tensor([time]),
      reference: tensor(new Float32Array(1).fill(mean), { shape: [1, 1, 1, 1, 1] }),
      referenceActive: null,
    };
    const prior = referencePrior(inputs, [variance]);
    const expected = first / total;
    expect(await prior.mean.item()).toBeCloseTo(expected, 4);
    expect(await prior.deviation.item()).toBeCloseTo(Math.sqrt(second / total - expected ** 2), 4);
  });

  test("a dropped reference is none", async () => {
    const noisy = rng.normal(shape);
    const t = tensor([0.3, 0.8]);
    const reference = rng.normal([2, 3, 1, 4, 4]);
    const dropped = referencePrior({ ...none, noisy, t, reference, referenceActive: tensor([0, 0]) }, variances);
    const absent = referencePrior({ ...none, noisy, t, reference: null, referenceActive: null }, variances);
    expect(await dropped.mean.sub(absent.mean).abs().max().item()).toBeLessThan(1e-5);
    expect(await dropped.deviation.sub(absent.deviation).abs().max().item()).toBeLessThan(1e-6);
  });
});
