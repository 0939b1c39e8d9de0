import { describe, expect, test } from "vitest";
import { conv2d } from "../ops/conv.ts";
import { attention } from "../ops/attention.ts";
import { Linear } from "../nn/index.ts";
import { getDevice } from "../runtime/device.ts";
import { memory } from "../tensor/memory.ts";
import { metaTensor, toMeta } from "../tensor/meta.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { zeros } from "../tensor/create.ts";
import { desktopTraits as desktop, estimate } from "./estimate.ts";
import { planCacheOf } from "./realize.ts";

const unbound = { ...desktop, maxStorageBinding: 2 ** 40 };

describe("estimate", () => {
  test("counts products, convolutions and attention by their sizes", () => {
    const a = metaTensor([3, 5, 7]);
    const { flops } = estimate([a.matmul(metaTensor([3, 7, 11]))], desktop);
    expect(flops).toEqual({ matmul: 2 * 3 * 5 * 7 * 11 });
    const image = metaTensor([2, 6, 10, 10]);
    const conv = estimate(
      [conv2d(image, metaTensor([8, 3, 3, 3]), null, { groups: 2, stride: 2, padding: 1 })],
      desktop,
    );
    // 2 · batch · outputs · out channels · in channels a group · taps
    expect(conv.flops).toEqual({ conv: 2 * 2 * 25 * 8 * 3 * 9 });
    const q = metaTensor([1, 2, 64, 16]);
    const kv = metaTensor([1, 2, 96, 16]);
    expect(estimate([attention(q, kv, kv)], desktop).flops).toEqual({ attention: 2 * 2 * 2 * 64 * 96 * 16 });
  });

  test("a product that two results share is counted once", () => {
    const [a, b] = [metaTensor([4, 4]), metaTensor([4, 4])];
    expect(estimate([a.matmul(b).add(1), a.matmul(b).mul(2)], desktop).flops).toEqual({ matmul: 128 });
  });

  test("takes no memory, whatever the size", async () => {
    const before = (await memory()).live;
    const layer = toMeta(new Linear(200_000, 100_000), "bf16");
    const { leafBytes, resultBytes, dispatches } = estimate([layer.forward(metaTensor([4, 200_000]))], unbound);
    expect(leafBytes).toBeGreaterThanOrEqual(2 * 200_000 * 100_000);
    expect(resultBytes).toBe(4 * 4 * 100_000);
    expect(dispatches).toBeGreaterThan(0);
    expect((await memory()).live).toBeLessThanOrEqual(before); // the collector may have freed some
  });

  test("plans as realize does: as many kernels, and as many bytes of slots", async () => {
    const { traits } = await getDevice();
    const chain = (x: Tensor): Tensor => x.matmul(x).exp().matmul(x);
    const told = estimate([chain(metaTensor([96, 96]))], traits);
    const cache = planCacheOf(await getDevice());
    const x = await zeros([96, 96]).realize();
    const known = new Set(cache.plans);
    await realize([chain(x)]);
    const plan = cache.plans.find((candidate) => !known.has(candidate));
    expect(told.dispatches).toBe(plan?.dispatches);
    expect(told.temporaryBytes).toBe(plan?.slotBytes);
  });
});

describe("metaTensor", () => {
  test("cannot be computed with", async () => {
    await expect(metaTensor([2]).add(1).realize()).rejects.toThrow("has a shape and no values");
  });
});
