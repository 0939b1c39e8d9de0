import { grad, realize, Rng, tensor, zeros } from "@omni/core";
import type { Tensor } from "@omni/core";
import { describe, expect, test } from "vitest";
import { SpectralConv3d } from "./spectral-conv.ts";

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];

/** A 1×1×1 convolution of two channels with the weight [[1, 2], [3, 4]] and no bias to speak of. */
async function twoByTwo(scale = 1): Promise<SpectralConv3d> {
  const conv = new SpectralConv3d(2, 2, [1, 1, 1], { rng: new Rng(1) });
  const weight = tensor([1, 2, 3, 4], { shape: [2, 2, 1, 1, 1] }).mul(scale);
  conv.loadStateDict({ weight, bias: tensor([0, 0]) }, { strict: false });
  await conv.realize();
  // u is still the drawn weight's; what it lacks shrinks by (σ₂ / σ₁)² = 0.0045 a round
  await follow(conv, 4);
  return conv;
}

async function follow(conv: SpectralConv3d, rounds: number): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    conv.forward(zeros([1, conv.weight.shape[1] ?? 0, 1, 1, 1]));
    await realize(conv.updates());
  }
}
const x = tensor([1, 10], { shape: [1, 2, 1, 1, 1] });

// singular value decomposition of [[1, 2], [3, 4]]: σ² = 15 ± √221
const sigma = Math.sqrt(15 + Math.sqrt(221));

describe("SpectralConv3d", () => {
  test("divides the weight by its largest singular value", async () => {
    const y = await values((await twoByTwo()).forward(x));
    expect(y[0]).toBeCloseTo(21 / sigma, 4);
    expect(y[1]).toBeCloseTo(43 / sigma, 4);
  });

  test("does not know the weight's scale", async () => {
    const [a, b] = [await values((await twoByTwo()).forward(x)), await values((await twoByTwo(7)).forward(x))];
    for (const [i, value] of a.entries()) expect(b[i]).toBeCloseTo(value, 4);
  });

  test("follows a weight that has changed, a round with each update, in training only", async () => {
    const conv = new SpectralConv3d(4, 4, [1, 1, 1], { rng: new Rng(2) });
    await conv.realize();
    const other = [5, 0, 0, 0, 0, 4, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
    conv.loadStateDict(
      { weight: tensor(other, { shape: [4, 4, 1, 1, 1] }), bias: tensor([0, 0, 0, 0]) },
      { strict: false },
    );
    const first = tensor([1, 0, 0, 0], { shape: [1, 4, 1, 1, 1] });
    const before = await conv.eval().forward(first).slice(1, 0, 1).item();
    expect(conv.updates()).toHaveLength(0);
    conv.train();
    // the rest shrinks by (4/5)² a round
    await follow(conv, 30);
    expect(Math.abs(before - 1)).toBeGreaterThan(1e-3);
    // σ is off by the square of that
    expect(await conv.forward(first).slice(1, 0, 1).item()).toBeCloseTo(1, 4);
  });

  test("has Miyato's gradient: what would lengthen the weight along its first direction is taken out", async () => {
    const conv = await twoByTwo();
    const [gradient] = grad(conv.forward(x).sum(), [conv.weight]);
    // v: eigenvector of WᵀW = [[10, 14], [14, 20]]; u = W v / σ; G = [1, 1]ᵀ xᵀ
    const [a, b] = [14, sigma ** 2 - 10];
    const n = Math.hypot(a, b);
    const v = [a / n, b / n] as const;
    const u = [(v[0] + 2 * v[1]) / sigma, (3 * v[0] + 4 * v[1]) / sigma] as const;
    const inner = (21 + 43) / sigma;
    const wanted = [1, 10, 1, 10].map((g, i) => (g - inner * (u[i >> 1] ?? 0) * (v[i % 2] ?? 0)) / sigma);
    for (const [i, value] of (await values(gradient ?? x)).entries()) expect(value).toBeCloseTo(wanted[i] ?? NaN, 3);
  });
});
