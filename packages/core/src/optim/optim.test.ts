import { describe, expect, test } from "vitest";
import { DTypeError, StaleTensorError } from "../base/errors.ts";
import { realize, tensor, zeros } from "../tensor/tensor.ts";
import { clipGradNorm } from "./clip.ts";
import { Ema } from "./ema.ts";
import { warmupHoldDecay } from "./lr-schedule.ts";

describe("clipGradNorm", () => {
  test("gives the norm over all gradients and the factor that bounds it", async () => {
    const { norm, scale } = clipGradNorm({ a: tensor([3, 0]), b: tensor([[4]]), c: zeros([0]) }, 2);
    await realize([norm, scale]);
    expect(await norm.item()).toBeCloseTo(5, 5);
    expect(await scale.item()).toBeCloseTo(2 / 5, 5);
  });

  test("leaves small gradients and none at all as they are", async () => {
    expect(await clipGradNorm({ a: tensor([0.1]) }, 1).scale.item()).toBe(1);
    expect(await clipGradNorm({ a: zeros([3]) }, 1).scale.item()).toBe(1);
    expect(await clipGradNorm({}, 1).scale.item()).toBe(1);
  });
});

describe("Ema", () => {
  test("follows average + (1 − decay)(parameter − average), with a small decay at first", async () => {
    const w = await tensor(Float32Array.from({ length: 20 }, (_, i) => i)).realize();
    const ema = new Ema({ w }, 0.9);
    await realize(Object.values(ema.average));
    let expected = Float64Array.from({ length: 20 }, (_, i) => i);
    for (let n = 1; n <= 5; n++) {
      await realize([w.assign(w.add(1))]);
      await realize(ema.update());
      const rate = 1 - Math.min(0.9, (1 + n) / (10 + n));
      expected = expected.map((a, i) => a + rate * (i + n - a));
    }
    (await ema.average["w"]?.data())?.forEach((v, i) => expect(v).toBeCloseTo(expected[i] ?? NaN, 4));
    expect(ema.updates).toBe(5);
  });

  test("must be realised or updated before the parameters change for the first time", async () => {
    const w = await tensor(new Float32Array(20)).realize();
    const ema = new Ema({ w }, 0.9);
    await realize([w.assign(w.add(1))]);
    await expect(realize(ema.update())).rejects.toThrow(StaleTensorError);
  });

  test("goes on from given averages", async () => {
    const w = await tensor([2, 4]).realize();
    const ema = new Ema({ w }, 0.5, { updates: 1000, average: { w: tensor([0, 0]) } });
    await realize(ema.update());
    expect(await ema.average["w"]?.data()).toEqual(Float32Array.of(1, 2));
  });

  test("refuses averages that do not fit, and whole numbers", () => {
    expect(() => new Ema({ w: zeros([2]) }, 0.9, { updates: 0, average: {} })).toThrow(
      'Ema: the averages must hold "w"',
    );
    expect(() => new Ema({ w: zeros([2]) }, 0.9, { updates: 0, average: { w: zeros([3]) } })).toThrow(
      'Ema: the average of "w" must have shape [2], got [3]',
    );
    expect(() => new Ema({ ids: zeros([2], "i32") }, 0.9)).toThrow(
      new DTypeError('Ema: parameters must be f32, got i32 for "ids"'),
    );
  });
});

describe("warmupHoldDecay", () => {
  const lr = warmupHoldDecay({ peak: 2, total: 100, warmup: 10, hold: 0.5, final: 0.1 });

  test("rises over the warm-up, holds, and falls to its final share", () => {
    expect([0, 4, 9, 10, 49].map(lr)).toEqual([0.2, 1, 2, 2, 2]);
    expect(lr(75)).toBeCloseTo(2 * (1 - 0.5 * 0.9), 12);
    expect([100, 500].map(lr)).toEqual([2 * 0.1, 2 * 0.1].map((v) => expect.closeTo(v, 12) as number));
  });

  test("never rises after the warm-up", () => {
    for (let i = 10; i < 120; i++) expect(lr(i + 1)).toBeLessThanOrEqual(lr(i));
  });
});
