import { describe, expect, test } from "vitest";
import { ones, Rng, tensor, zeros } from "@omni/core";
import { LatentStatisticsCollector } from "./latent-statistics.ts";
import { movingPartWeights, vaeLoss } from "./loss.ts";
import { perceptualDistance } from "./perceptual.ts";
import { awakeVae, tinyNano } from "./tiny.fixture.ts";
import { VggFeatures } from "./vgg.ts";

describe("vaeLoss", () => {
  const vae = awakeVae(tinyNano);
  const video = new Rng(1).uniform([2, 3, 5, 4, 8], -1, 1);

  test("is the mean of |d| + d² and a KL term", async () => {
    const { loss, reconstruction, kl, mse, decoded } = vaeLoss(vae, video, null, { klWeight: 0.5 });
    const difference = await decoded.sub(video).data();
    const absolute = mean([...difference].map(Math.abs));
    const squared = mean([...difference].map((d) => d * d));
    expect(await mse.item()).toBeCloseTo(squared, 4);
    expect(await reconstruction.item()).toBeCloseTo(absolute + squared, 4);
    expect(await loss.item()).toBeCloseTo(absolute + squared + 0.5 * (await kl.item()), 4);
    expect(await kl.item()).toBeGreaterThan(0);
  });

  test("weighs each part as asked", async () => {
    const at = async (l1Weight: number, l2Weight: number): Promise<number> =>
      vaeLoss(vae, video, null, { l1Weight, l2Weight }).reconstruction.item();
    const [both, absolute, squared] = [await at(1, 1), await at(1, 0), await at(0, 1)];
    expect(both).toBeCloseTo(absolute + squared, 5);
    expect(await at(3, 0.5)).toBeCloseTo(3 * absolute + 0.5 * squared, 4);
    expect(squared).toBeCloseTo(await vaeLoss(vae, video, null).mse.item(), 5);
  });

  test("adds the distance of features where they are given", async () => {
    const features = await new VggFeatures({ widths: [4, 4], convs: [1, 1] }, new Rng(2)).realize();
    const { loss, reconstruction, perceptual, decoded } = vaeLoss(vae, video, null, {
      klWeight: 0,
      perceptual: { features, weight: 3 },
    });
    const distance = await perceptualDistance(features, decoded, video).item();
    expect(await perceptual?.item()).toBeCloseTo(distance, 5);
    expect(await loss.item()).toBeCloseTo((await reconstruction.item()) + 3 * distance, 4);
    expect(vaeLoss(vae, video, null).perceptual).toBeNull();
  });

  test("equal weights change nothing", async () => {
    const plain = await vaeLoss(vae, video, null).loss.item();
    const weighted = await vaeLoss(vae, video, ones([2, 1, 5, 4, 8]).mul(5)).loss.item();
    expect(weighted).toBeCloseTo(plain, 4);
  });

  test("weights of zero hide their pixels", async () => {
    const left = tensor([1, 1, 1, 1, 0, 0, 0, 0], { shape: [1, 1, 1, 1, 8] }).expand([2, 1, 5, 4, 8]);
    const { reconstruction, decoded } = vaeLoss(vae, video, left);
    const difference = [...(await decoded.sub(video).slice(4, 0, 4).data())];
    const expected = mean(difference.map((d) => Math.abs(d) + d * d));
    expect(await reconstruction.item()).toBeCloseTo(expected, 4);
  });

  test("draws from the posterior when given a generator", async () => {
    const [at, drawn] = [vaeLoss(vae, video, null), vaeLoss(vae, video, null, { rng: new Rng(3) })];
    expect(await drawn.kl.item()).toBeCloseTo(await at.kl.item(), 4);
    expect(await drawn.reconstruction.item()).not.toBe(await at.reconstruction.item());
  });

  test("noise on the latents costs more the larger it is, and none costs nothing", async () => {
    const at = async (deviation: number): Promise<number> =>
      vaeLoss(vae, video, null, { latentNoise: { deviation, rng: new Rng(5) } }).mse.item();
    const plain = await vaeLoss(vae, video, null).mse.item();
    const [none, some, much] = [await at(0), await at(1), await at(4)];
    expect(none).toBeCloseTo(plain, 5);
    expect(some).toBeGreaterThan(plain);
    expect(much).toBeGreaterThan(some);
  });
});

describe("movingPartWeights", () => {
  test("is 1 outside and the gain inside", async () => {
    expect([...(await movingPartWeights(tensor([0, 0.5, 1])).data())]).toEqual([1, 3, 5]);
  });
});

describe("LatentStatisticsCollector", () => {
  test("joins batches into the mean and deviation of each channel", async () => {
    const collector = new LatentStatisticsCollector();
    // channel 0: 1, 3 and 5, 7 (mean 4, variance 5); channel 1: constant 1000
    await collector.add(tensor([1, 3, 1000, 1000], { shape: [1, 2, 2, 1, 1] }));
    await collector.add(tensor([5, 1000, 7, 1000], { shape: [2, 2, 1, 1, 1] }));
    const { mean: means, std } = collector.finish();
    expect(means[0]).toBeCloseTo(4, 10);
    expect(std[0]).toBeCloseTo(Math.sqrt(5), 10);
    expect(means[1]).toBeCloseTo(1000, 10);
    expect(std[1]).toBe(1e-6);
  });

  test("wants at least one batch, and the same channels in each", async () => {
    const collector = new LatentStatisticsCollector();
    expect(() => collector.finish()).toThrow("add at least one batch");
    await collector.add(zeros([1, 2, 1, 1, 1]));
    await expect(collector.add(zeros([1, 3, 1, 1, 1]))).rejects.toThrow("must have 2 channels, got 3");
  });
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
