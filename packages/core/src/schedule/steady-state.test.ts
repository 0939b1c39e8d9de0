import { describe, expect, test, vi } from "vitest";
import { grad } from "../autograd/grad.ts";
import { Linear } from "../nn/layers.ts";
import { Module } from "../nn/module.ts";
import { AdamW } from "../optim/adamw.ts";
import { clipGradNorm } from "../optim/clip.ts";
import { Ema } from "../optim/ema.ts";
import { mseLoss } from "../ops/losses.ts";
import { getDevice } from "../runtime/index.ts";
import { Rng } from "../tensor/random.ts";
import { tensor } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { planCacheOf } from "./realize.ts";

class Mlp extends Module {
  readonly first = new Linear(8, 32, { rng: new Rng(1) });
  readonly second = new Linear(32, 4, { rng: new Rng(2) });
  forward(x: Tensor): Tensor {
    return this.second.forward(this.first.forward(x).silu());
  }
}

/** One step as a trainer takes it: fresh data and noise, clipping, a schedule, an average. */
async function makeStep(): Promise<(i: number) => { loss: Tensor; done: Promise<void> }> {
  const model = await new Mlp().realize();
  const parameters = model.parameters();
  const names = Object.keys(parameters);
  const adam = new AdamW(parameters, { lr: 3e-3 });
  const ema = new Ema(parameters, 0.99);
  const noise = new Rng(3);
  return (i) => {
    const x = tensor(
      Float32Array.from({ length: 64 }, (_, k) => Math.sin(i * 64 + k)),
      { shape: [8, 8] },
    );
    const y = model.forward(x.add(noise.normal([8, 8]).mul(0.01)));
    const loss = mseLoss(y, x.slice(1, 0, 4).square());
    const list = grad(loss, Object.values(parameters));
    const grads = Object.fromEntries(names.flatMap((n, k) => (list[k] ? [[n, list[k]]] : [])));
    const { scale } = clipGradNorm(grads, 1);
    return {
      loss,
      done: realize([loss, ...adam.step(grads, { lr: 3e-3 / (1 + i / 500), gradScale: scale }), ...ema.update()]),
    };
  };
}

describe("training steps", () => {
  test("are one submit each, the loss on its way to the host included", async () => {
    const device = await getDevice();
    const step = await makeStep();
    await step(0).done;
    const submit = vi.spyOn(device, "submit");
    try {
      for (let i = 1; i < 5; i++) {
        const { loss, done } = step(i);
        await done;
        expect(await loss.item()).toBeGreaterThan(0);
      }
      expect(submit).toHaveBeenCalledTimes(4);
    } finally {
      submit.mockRestore();
    }
  });

  test("reuse one plan: no misses, no new buffers, no new pipelines, no more memory; the loss falls", async () => {
    const device = await getDevice();
    const cache = planCacheOf(device);
    const step = await makeStep();
    const losses: number[] = [];
    for (let i = 0; i < 5; i++) {
      const { loss, done } = step(i);
      await done;
      losses.push(await loss.item());
    }
    const { created, liveBytes } = device.pool;
    const { hits, misses } = cache;
    const pipelines = device.pipelines.size;
    const STEPS = 300;
    for (let i = 5; i < STEPS; i++) {
      const { loss, done } = step(i);
      await done;
      losses.push(await loss.item());
    }
    expect(cache.misses - misses).toBe(0);
    expect(cache.hits - hits).toBe(STEPS - 5);
    expect(device.pipelines.size).toBe(pipelines);
    expect(device.pool.created).toBe(created);
    // less where tensors of earlier tests are collected meanwhile
    expect(device.pool.liveBytes).toBeLessThanOrEqual(liveBytes);
    const mean = (list: number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
    expect(mean(losses.slice(-30))).toBeLessThan(0.5 * mean(losses.slice(0, 30)));
  });

  test("need no more memory over a thousand of them when nobody ever reads the loss", async () => {
    const STEPS = 1000;
    const device = await getDevice();
    const step = await makeStep();
    for (let i = 0; i < 20; i++) await step(i).done;
    const { created, liveBytes } = device.pool;
    let most = 0;
    for (let i = 20; i < STEPS; i++) {
      await step(i).done;
      most = Math.max(most, device.pool.liveBytes);
    }
    // at most two losses are on their way to the host, 256 bytes each
    expect(most - liveBytes).toBeLessThanOrEqual(2 * 256);
    expect(device.pool.created - created).toBeLessThanOrEqual(2);
  });
});
