import { describe, expect, test } from "vitest";
import { ShapeError } from "../base/errors.ts";
import { getDevice } from "../runtime/index.ts";
import { planCacheOf } from "../schedule/realize.ts";
import { tensor } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { difference } from "../testing/allclose.ts";
import { at, build, sample, type Nd, sum } from "../testing/nd.ts";
import { BatchNorm } from "./batch-norm.ts";

const leaf = (x: Nd): Tensor => tensor(Float32Array.from(x.data), { shape: x.shape });
// a few f32 roundings of numbers of about 1, through a division by a deviation of about 0.5
const TOLERANCE = { absolute: 4e-6, relative: 4e-6 };

/** Mean and variance (divided by n) of channel c of [B, C, L]. */
function statistics(x: Nd, c: number): { mean: number; variance: number; n: number } {
  const [batch = 0, , length = 0] = x.shape;
  const n = batch * length;
  const each = (f: (v: number) => number): number => sum(batch, (b) => sum(length, (l) => f(at(x, [b, c, l])))) / n;
  const mean = each((v) => v);
  return { mean, variance: each((v) => (v - mean) ** 2), n };
}

describe("BatchNorm", () => {
  test("normalises with the batch in training, and follows it with unbiased variances once realised", async () => {
    const norm = new BatchNorm(3);
    const running = { mean: [0, 0, 0], variance: [1, 1, 1] };
    for (const seed of [1, 2]) {
      const x = sample([2, 3, 5], seed);
      const y = norm.forward(leaf(x));
      await realize([y, ...norm.updates()]);
      const expected = build(x.shape, (index) => {
        const { mean, variance } = statistics(x, index[1] ?? 0);
        return (at(x, index) - mean) / Math.sqrt(variance + 1e-5);
      });
      expect(difference(await y.data(), expected.data, TOLERANCE)).toBeNull();
      for (const c of [0, 1, 2]) {
        const { mean, variance, n } = statistics(x, c);
        running.mean[c] = 0.9 * (running.mean[c] ?? 0) + 0.1 * mean;
        running.variance[c] = 0.9 * (running.variance[c] ?? 0) + (0.1 * variance * n) / (n - 1);
      }
    }
    expect(difference((await norm.running_mean?.data()) ?? [], running.mean, TOLERANCE)).toBeNull();
    expect(difference((await norm.running_var?.data()) ?? [], running.variance, TOLERANCE)).toBeNull();
    expect(await norm.num_batches_tracked?.item()).toBe(2);
    expect(norm.updates()).toEqual([]);
  });

  test("uses the running statistics in evaluation and leaves them alone", async () => {
    const norm = new BatchNorm(2).eval();
    norm.loadStateDict({
      weight: tensor([2, 1]),
      bias: tensor([0.5, 0]),
      running_mean: tensor([1, -1]),
      running_var: tensor([4, 1]),
      num_batches_tracked: tensor(7, { dtype: "i32" }),
    });
    const y = norm.forward(tensor([[3, -1]]));
    // (3 − 1) / √(4 + 1e-5) · 2 + 0.5
    expect(difference(await y.data(), [2.5 - 2.5e-6, 0], TOLERANCE)).toBeNull();
    expect(norm.updates()).toEqual([]);
  });

  test("follows several forward passes before one update", async () => {
    const [apart, together] = [new BatchNorm(3), new BatchNorm(3)];
    for (const seed of [1, 2]) {
      await realize([apart.forward(leaf(sample([2, 3, 5], seed))), ...apart.updates()]);
      together.forward(leaf(sample([2, 3, 5], seed)));
    }
    await realize(together.updates());
    const values = async (n: BatchNorm): Promise<number[]> => [
      ...((await n.running_mean?.data()) ?? []),
      ...((await n.running_var?.data()) ?? []),
    ];
    expect(difference(await values(together), await values(apart), TOLERANCE)).toBeNull();
    expect(await together.num_batches_tracked?.item()).toBe(2);
  });

  test("averages all batches alike without a momentum", async () => {
    const norm = new BatchNorm(1, { momentum: null });
    for (const value of [1, 2, 6]) await realize([norm.forward(tensor([[value - 1], [value + 1]])), ...norm.updates()]);
    expect(await norm.running_mean?.item()).toBeCloseTo(3, 5);
    // each batch's variance, 2 with n − 1
    expect(await norm.running_var?.item()).toBeCloseTo(2, 5);
  });

  test("reuses one plan once it runs", async () => {
    const cache = planCacheOf(await getDevice());
    const norm = await new BatchNorm(3, { momentum: null }).realize();
    const step = (seed: number): Promise<void> =>
      realize([norm.forward(leaf(sample([2, 3, 5], seed))), ...norm.updates()]);
    // small leaves move between host and device in the first steps
    await step(1);
    await step(2);
    const { misses } = cache;
    await step(3);
    await step(4);
    expect(cache.misses).toBe(misses);
  });

  test("has PyTorch's names, and trains only gain and bias", () => {
    const norm = new BatchNorm(2);
    expect(Object.keys(norm.stateDict())).toEqual([
      "weight",
      "bias",
      "running_mean",
      "running_var",
      "num_batches_tracked",
    ]);
    expect(Object.keys(norm.trainableParameters())).toEqual(["weight", "bias"]);
    expect(Object.keys(new BatchNorm(2, { affine: false, trackRunningStats: false }).stateDict())).toEqual([]);
  });

  test("without running statistics evaluation uses the batch's own", async () => {
    const norm = new BatchNorm(1, { trackRunningStats: false });
    const x = leaf(sample([3, 1, 4], 1));
    expect(await norm.forward(x).data()).toEqual(await norm.eval().forward(x).data());
  });

  test("refuses to train on one value a channel", () => {
    expect(() => new BatchNorm(2).forward(tensor([[1, 2]]))).toThrow(ShapeError);
  });
});
