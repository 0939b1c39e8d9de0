import { describe, expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { tensor } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { LossScaler } from "./loss-scaler.ts";
import { SGD } from "./sgd.ts";

describe("LossScaler", () => {
  test("takes the step that the loss itself would take", async () => {
    const params = { w: await tensor([1, 2]).realize() };
    const sgd = new SGD(params, { lr: 0.5 });
    const scaler = new LossScaler({ initial: 1024 });
    const loss = params.w.square().sum();
    const [w] = grad(scaler.scaled(loss), [params.w]);
    const taken = await scaler.step({
      grads: w ? { w } : {},
      also: [loss],
      apply: (grads) => realize(sgd.step(grads)),
    });
    expect(taken).toBe(true);
    expect(await loss.item()).toBe(5);
    // w - 0.5 · 2w
    expect(await params.w.data()).toEqual(Float32Array.of(0, 0));
  });

  test.each([Infinity, -Infinity, NaN])(
    "leaves out a step with a gradient of %d, and halves the scale",
    async (bad) => {
      const params = { w: await tensor([1, 2]).realize(), v: await tensor([3]).realize() };
      const sgd = new SGD(params, { lr: 0.5 });
      const scaler = new LossScaler({ initial: 8 });
      const apply = (grads: Record<string, Tensor>): Promise<void> => realize(sgd.step(grads));
      expect(await scaler.step({ grads: { w: tensor([1, bad]).mul(2), v: tensor([1]) }, apply })).toBe(false);
      expect(scaler.scale).toBe(4);
      expect(await params.w.data()).toEqual(Float32Array.of(1, 2));
      expect(await params.v.item()).toBe(3);
      expect(sgd.state().step).toBe(0);
    },
  );

  test("takes the largest finite gradients for finite", async () => {
    const scaler = new LossScaler();
    const grads = { w: tensor(new Float32Array(1000).fill(3.4e38)) };
    expect(await scaler.step({ grads, apply: async () => undefined })).toBe(true);
  });

  test("doubles the scale after enough good steps in a row, across a save", async () => {
    const step = (scaler: LossScaler, value: number): Promise<boolean> =>
      scaler.step({ grads: { w: tensor([value]) }, apply: async () => undefined });
    const first = new LossScaler({ initial: 16, interval: 3 });
    for (const value of [1, 1, Infinity, 1, 1]) await step(first, value);
    expect(first.state()).toEqual({ scale: 8, good: 2 });
    const second = new LossScaler({ initial: 16, interval: 3 });
    second.loadState(first.state());
    await step(second, 1);
    expect(second.state()).toEqual({ scale: 16, good: 0 });
  });
});
