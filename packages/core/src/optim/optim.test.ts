import { describe, expect, test } from "vitest";
import { DTypeError, StaleTensorError } from "../base/errors.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { realize } from "../tensor/tensor.ts";
import { clipGradNorm, clipGradValue } from "./clip.ts";
import { Ema } from "./ema.ts";
import { diffusersDecay, fixedDecay, warmingDecay } from "./ema-decay.ts";

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

describe("clipGradNorm of another kind", () => {
  test("bounds the largest element", async () => {
    const { norm, scale } = clipGradNorm({ a: tensor([3, -8]), b: tensor([4]) }, 2, { kind: "max" });
    await realize([norm, scale]);
    expect(await norm.item()).toBe(8);
    expect(await scale.item()).toBeCloseTo(2 / 8, 5);
  });
});

describe("clipGradValue", () => {
  test("cuts every element to the limit", async () => {
    const { a, b } = clipGradValue({ a: tensor([3, -0.25]), b: tensor([-7]) }, 0.5);
    expect(await a?.data()).toEqual(Float32Array.of(0.5, -0.25));
    expect(await b?.data()).toEqual(Float32Array.of(-0.5));
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

  test("follows a decay of its own, and writes the averages into the parameters", async () => {
    const w = await tensor([2, 4]).realize();
    const ema = new Ema({ w }, fixedDecay(0.75), { updates: 0, average: { w: tensor([0, 0]) } });
    await realize(ema.update());
    await realize(ema.copyTo());
    expect(await w.data()).toEqual(Float32Array.of(0.5, 1));
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

describe("decays of an average", () => {
  test("rise with the updates up to their most", () => {
    expect([1, 2, 100000].map(warmingDecay(0.99))).toEqual([2 / 11, 3 / 12, 0.99]);
  });

  test("follow diffusers' formulas: copies first, then a warm-up between the least and the most", () => {
    // (1 + s)/(10 + s) with s = n - 1, and 0 for s = 0
    expect([1, 2, 3].map(diffusersDecay())).toEqual([0, 2 / 11, 3 / 12]);
    expect([5, 6, 7].map(diffusersDecay({ updateAfterStep: 5 }))).toEqual([0, 0, 2 / 11]);
    const warm = diffusersDecay({ useEmaWarmup: true, invGamma: 2, power: 0.5, minDecay: 0.2, decay: 0.6 });
    // 1 - (1 + s/2)^-1/2: 0.184 below the least, 0.423 at s = 4, 0.667 above the most
    expect([2, 5, 17].map(warm)).toEqual([0.2, 1 - 3 ** -0.5, 0.6]);
    expect(() => diffusersDecay({ invGamma: 0 })).toThrow("invGamma must be positive");
  });
});
