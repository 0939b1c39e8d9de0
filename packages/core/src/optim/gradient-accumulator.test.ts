import { describe, expect, test } from "vitest";
import { OmniError, ShapeError } from "../base/errors.ts";
import { getDevice } from "../runtime/index.ts";
import { planCacheOf } from "../schedule/realize.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { realize } from "../tensor/tensor.ts";
import { GradientAccumulator } from "./gradient-accumulator.ts";

describe("GradientAccumulator", () => {
  test("sums weighted gradients, and begins anew after they are taken, whatever they were", async () => {
    const sums = new GradientAccumulator({ w: zeros([3]), idle: zeros([2]) });
    await realize(sums.add({ w: tensor([1, 2, 3]) }, 0.5));
    await realize(sums.add({ w: tensor([1, 0, 0]) }, 0.5));
    expect(await sums.take()["w"]?.data()).toEqual(Float32Array.of(1, 1, 1.5));
    await realize(sums.add({ w: tensor([Infinity, NaN, 0]) }));
    sums.take();
    await realize(sums.add({ w: tensor([7, 8, 9]) }));
    const taken = sums.take();
    expect(await taken["w"]?.data()).toEqual(Float32Array.of(7, 8, 9));
    expect(Object.keys(taken)).toEqual(["w"]);
  });

  test("reuses one plan for every small batch", async () => {
    const cache = planCacheOf(await getDevice());
    const sums = new GradientAccumulator({ w: zeros([3]) });
    const round = async (): Promise<void> => {
      for (let i = 0; i < 3; i++) await realize(sums.add({ w: tensor([1, 2, i]) }, 1 / 3));
      sums.take();
    };
    await round();
    const { misses } = cache;
    await round();
    expect(cache.misses).toBe(misses);
  });

  test("refuses gradients that fit no parameter", () => {
    const sums = new GradientAccumulator({ w: zeros([3]) });
    expect(() => sums.add({ w: zeros([2]) })).toThrow(ShapeError);
    expect(() => sums.add({ v: zeros([3]) })).toThrow(OmniError);
  });
});
