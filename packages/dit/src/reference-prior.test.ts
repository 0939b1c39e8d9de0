import { concat, Rng, tensor } from "@omni/core";
import { describe, expect, test } from "vitest";
import type { DitInputs } from "./inputs.ts";
import { NO_CONDITIONS } from "./inputs.ts";
import { referencePrior } from "./reference-prior.ts";

const shape = [2, 3, 2, 4, 4];
const kinds = [
  { weight: 0.7, slopes: [1, 0.9, 1], variances: [0.3, 1, 0.1] },
  { weight: 0.3, slopes: [0, 0.2, 0], variances: [2, 1, 0.5] },
];
const rng = new Rng(5);

describe("referencePrior", () => {
  test("is the velocity's mean and deviation, checked by summing over clean latents around the reference", async () => {
    const kinds = [
      { weight: 0.6, slopes: [1], variances: [0.02] },
      { weight: 0.4, slopes: [0.5], variances: [0.8] },
    ];
    const [time, mean, xt] = [0.4, 0.7, 0.2];
    // weights of candidates x_0 by prior and likelihood, summed on a grid
    let total = 0;
    let first = 0;
    let second = 0;
    for (let x0 = -6; x0 <= 6; x0 += 0.002) {
      const noise = (xt - (1 - time) * x0) / time;
      const before = kinds.reduce(
        (sum, { weight: share, slopes: [slope = 1], variances: [s = 1] }) =>
          sum + (share / Math.sqrt(s)) * Math.exp(-((x0 - slope * mean) ** 2) / (2 * s)),
        0,
      );
      const weight = before * Math.exp(-(noise ** 2) / 2);
      total += weight;
      first += weight * (noise - x0);
      second += weight * (noise - x0) ** 2;
    }
    const inputs: DitInputs = {
      ...NO_CONDITIONS,
      noisy: tensor(new Float32Array(1).fill(xt), { shape: [1, 1, 1, 1, 1] }),
      t: tensor([time]),
      reference: tensor(new Float32Array(1).fill(mean), { shape: [1, 1, 1, 1, 1] }),
      referenceActive: null,
    };
    const prior = referencePrior(inputs, kinds);
    const expected = first / total;
    expect(await prior.mean.item()).toBeCloseTo(expected, 4);
    expect(await prior.deviation.item()).toBeCloseTo(Math.sqrt(second / total - expected ** 2), 4);
  });

  test("a dropped reference is none", async () => {
    const noisy = rng.normal(shape);
    const t = tensor([0.3, 0.8]);
    const reference = rng.normal([2, 3, 1, 4, 4]);
    const dropped = referencePrior({ ...NO_CONDITIONS, noisy, t, reference, referenceActive: tensor([0, 0]) }, kinds);
    const absent = referencePrior({ ...NO_CONDITIONS, noisy, t, reference: null, referenceActive: null }, kinds);
    expect(await dropped.mean.sub(absent.mean).abs().max().item()).toBeLessThan(1e-5);
    expect(await dropped.deviation.sub(absent.deviation).abs().max().item()).toBeLessThan(1e-6);
  });

  test("a cell that may be the reference under noise is taken for it, one that cannot is not", async () => {
    const still = [
      { weight: 0.5, slopes: [1, 1, 1], variances: [1e-4, 1e-4, 1e-4] },
      { weight: 0.5, slopes: [0, 0, 0], variances: [4, 4, 4] },
    ];
    const t = tensor([0.1, 0.1]);
    const reference = rng.normal([2, 3, 1, 4, 4]);
    const noise = rng.normal(shape);
    // one frame shows the reference, the other something else
    const moved = concat([reference, reference.add(3)], { axis: 2 });
    const noisy = moved.mul(0.9).add(noise.mul(0.1));
    const prior = referencePrior({ ...NO_CONDITIONS, noisy, t, reference, referenceActive: null }, still);
    const error = prior.mean
      .sub(noise.sub(moved))
      .abs()
      .mean({ axis: [0, 1, 3, 4] });
    const [frame0 = 1, frame1 = 1] = await error.data();
    expect(frame0).toBeLessThan(0.05);
    expect(frame1).toBeLessThan(1.2);
    const [sure = 1, unsure = 0] = await prior.deviation.mean({ axis: [0, 1, 3, 4] }).data();
    expect(sure).toBeLessThan(0.2 * unsure);
  });
});
