import { concat, grad, realize, Rng, ShapeError, tensor, zeros } from "@omni/core";
import type { Tensor } from "@omni/core";
import { expectClose, gradcheck, sample } from "@omni/core/testing";
import { describe, expect, test } from "vitest";
import { adaptiveWeight, generatorLoss, hingeLoss, Lecam, r1Penalty } from "./adversarial.ts";
import { discriminatorPresets, PatchDiscriminator } from "./patch-discriminator.ts";
import { SpectralConv3d } from "./spectral-conv.ts";

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];

describe("PatchDiscriminator", () => {
  test("gives a score for each patch of each frame", () => {
    // halved twice or thrice, then two 4×4 convolutions that take one each
    const nano = new PatchDiscriminator(discriminatorPresets["nano-video"]);
    expect(nano.forward(zeros([2, 3, 5, 64, 48])).shape).toEqual([2, 1, 5, 14, 10]);
    const full = new PatchDiscriminator(discriminatorPresets.image);
    expect(full.forward(zeros([1, 3, 1, 64, 64])).shape).toEqual([1, 1, 1, 6, 6]);
    // pix2pix's layers without batch norm; PyTorch's count of 4·4 kernels 3–64–128–256–512–1 with biases, and u of each
    expect(full.numTrainable()).toBe(16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512) + 64 + 128 + 256 + 512 + 1);
    expect(() => nano.forward(zeros([1, 3, 64, 64]))).toThrow(ShapeError);
  });

  test.each([
    ["an image discriminator judges each frame by itself", 1, [2]],
    ["a video discriminator sees a frame's neighbours", 3, [0, 1, 2, 3, 4]],
  ] as const)("%s", async (_, temporalKernel, wanted) => {
    const network = await new PatchDiscriminator({ temporalKernel, width: 4, levels: 1 }, new Rng(1)).realize();
    const video = new Rng(2).normal([1, 3, 5, 12, 12]);
    const parts = video.split([2, 1, 2], 2);
    const changed = concat([parts[0] ?? video, zeros([1, 3, 1, 12, 12]), parts[2] ?? video], { axis: 2 });
    const moved = network
      .forward(video)
      .sub(network.forward(changed))
      .abs()
      .sum({ axis: [0, 1, 3, 4] });
    expect((await values(moved)).flatMap((d, t) => (d > 0 ? [t] : []))).toEqual(wanted);
  });

  test("a score knows its patch alone", async () => {
    const network = await new PatchDiscriminator({ temporalKernel: 1, width: 4, levels: 1 }, new Rng(3)).realize();
    // 4 + 2·3 + 2·3 pixels: the first score's patch ends before the 16th column, as one of padding stands before each layer
    const video = new Rng(4).normal([1, 3, 1, 24, 24]);
    const changed = concat([video.slice(4, 0, 16), new Rng(5).normal([1, 3, 1, 24, 8])], { axis: 4 });
    const [a, b] = [network.forward(video), network.forward(changed)];
    expect(
      await a
        .slice(4, 0, 1)
        .sub(b.slice(4, 0, 1))
        .abs()
        .max()
        .item(),
    ).toBe(0);
    expect(await a.slice(4, 9).sub(b.slice(4, 9)).abs().max().item()).toBeGreaterThan(0);
  });

  test("has the gradient that differences give", async () => {
    const network = await new PatchDiscriminator({ temporalKernel: 3, width: 4, levels: 1 }, new Rng(6)).realize();
    await gradcheck((x) => network.forward(x), [sample([1, 3, 2, 8, 8], 7)]);
  });
});

describe("hinge losses", () => {
  const [real, fake] = [tensor([2, 0.5, -1]), tensor([-3, 0.5])];

  test("are those of the definition", async () => {
    expect(await hingeLoss(real, fake).item()).toBeCloseTo(0.5 * ((0 + 0.5 + 2) / 3 + (0 + 1.5) / 2), 6);
    expect(await generatorLoss(fake).item()).toBeCloseTo(1.25, 6);
  });

  test("push scores apart until they are a margin of 1 from 0", async () => {
    const [ofReal = real, ofFake = fake] = grad(hingeLoss(real, fake), [real, fake]);
    await expectClose(
      ofReal,
      { shape: [3], data: Float64Array.of(0, -1 / 6, -1 / 6) },
      { relative: 1e-6, absolute: 1e-6 },
    );
    await expectClose(ofFake, { shape: [2], data: Float64Array.of(0, 1 / 4) }, { relative: 1e-6, absolute: 1e-6 });
  });
});

describe("adaptiveWeight", () => {
  const layer = tensor([1, 2]);
  // gradients (6, 8) and (3, 4)
  const [far, near] = [layer.mul(tensor([6, 8])).sum(), layer.mul(tensor([3, 4])).sum()];

  test("is the ratio of both gradients' lengths at the last layer, and no more than 1e4", async () => {
    expect(await adaptiveWeight(far, near, layer).item()).toBeCloseTo(10 / (5 + 1e-4), 5);
    expect(await adaptiveWeight(far.mul(1e3), near.mul(0), layer).item()).toBe(1e4);
  });

  test("has no gradient", async () => {
    const squared = layer.square().sum();
    const [gradient = layer] = grad(adaptiveWeight(squared, near, layer), [layer]);
    expect(await values(gradient)).toEqual([0, 0]);
  });
});

describe("r1Penalty", () => {
  test("of a linear score is half its squared slope, and its gradient the slope", async () => {
    const slope = tensor([3, 4]);
    const x = new Rng(1).normal([5, 2]);
    const penalty = r1Penalty(x.mul(slope).sum({ axis: 1 }), x);
    const [gradient = x] = grad(penalty, [slope]);
    expect(await penalty.item()).toBeCloseTo(12.5, 4);
    expect((await values(gradient)).map((g) => Math.round(g * 1e4) / 1e4)).toEqual([3, 4]);
  });

  test("of convolutions has the gradient that differences give", async () => {
    // tanh for a leaky ReLU, whose slope jumps
    const rng = new Rng(2);
    const first = await new SpectralConv3d(3, 4, [3, 4, 4], { stride: [1, 2, 2], padding: 1, rng }).realize();
    const second = await new SpectralConv3d(4, 1, [3, 4, 4], { padding: 1, rng: rng.fork("second") }).realize();
    const score = (x: Tensor): Tensor => second.forward(first.forward(x).mul(3).tanh()).mul(10);
    const x = sample([1, 3, 2, 8, 8], 3);
    await gradcheck((t) => r1Penalty(score(t), t), [x]);
    // the sum over pixels is a number of about 1, not 0
    const t = tensor(Float32Array.from(x.data), { shape: x.shape });
    expect(await r1Penalty(score(t), t).item()).toBeGreaterThan(1);
  });
});

describe("Lecam", () => {
  test("draws scores to where the other side's have been", async () => {
    const lecam = await new Lecam().realize();
    const [real, fake] = [tensor([2, 4]), tensor([-1, -5])];
    // both means are 0 at first
    expect(await lecam.penalty(real, fake).item()).toBeCloseTo((4 + 16) / 2 + (1 + 25) / 2, 5);
    await realize(lecam.updates());
    expect(await lecam.real.item()).toBeCloseTo(0.03, 6);
    expect(await lecam.fake.item()).toBeCloseTo(-0.03, 6);
    expect(await lecam.penalty(real, fake).item()).toBeCloseTo(
      (2.03 ** 2 + 4.03 ** 2) / 2 + (1.03 ** 2 + 5.03 ** 2) / 2,
      4,
    );
    expect(lecam.updates()).toHaveLength(2);
    expect(lecam.updates()).toEqual([]);
  });
});
