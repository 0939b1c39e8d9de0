import { describe, expect, test } from "vitest";
import { concat, Rng, tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import { FeatureCache } from "./feature-cache.ts";
import { CausalConv3d, depthToSpace, Downsample, spaceToDepth, Upsample } from "./layers.ts";
import type { CausalLayer } from "./layers.ts";

const rng = new Rng(1);
const options = { normEps: 1e-6, rng };
const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];

async function expectClose(a: Tensor, b: Tensor): Promise<void> {
  expect(a.shape).toEqual(b.shape);
  const expected = await values(b);
  // sums of a few dozen products of order 1 in float32, perhaps in another order
  for (const [i, value] of (await values(a)).entries()) expect(value).toBeCloseTo(expected[i] ?? NaN, 5);
}

async function inChunks(layer: Pick<CausalLayer, "forward">, x: Tensor, sizes: readonly number[]): Promise<Tensor> {
  const cache = new FeatureCache();
  const parts: Tensor[] = [];
  for (const chunk of x.split(sizes, 2)) {
    const y = layer.forward(chunk, cache);
    await cache.settle(y, false);
    parts.push(y);
  }
  cache.dispose();
  return concat(parts, { axis: 2 });
}

describe("CausalConv3d", () => {
  const conv = new CausalConv3d(2, 3, [3, 3], { rng: new Rng(2) });
  const x = new Rng(3).normal([1, 2, 5, 4, 4]);

  test("keeps the size", () => {
    expect(conv.forward(x).shape).toEqual([1, 3, 5, 4, 4]);
  });

  test("output frame t ignores frames after t", async () => {
    const changed = concat([x.slice(2, 0, 3), new Rng(4).normal([1, 2, 2, 4, 4])], { axis: 2 });
    const [a, b] = [conv.forward(x), conv.forward(changed)];
    expect(await values(a.slice(2, 0, 3))).toEqual(await values(b.slice(2, 0, 3)));
    expect(await values(a.slice(2, 3))).not.toEqual(await values(b.slice(2, 3)));
  });

  test("frame by frame equals at once", async () => {
    await expectClose(await inChunks(conv, x, [1, 1, 1, 1, 1]), conv.forward(x));
    await expectClose(await inChunks(conv, x, [2, 3]), conv.forward(x));
  });
});

describe("FeatureCache", () => {
  test("remembers what the next chunk needs, and nothing of the last", async () => {
    const layer = {};
    const chunk = tensor(new Float32Array([1, 2, 3]), { shape: [1, 1, 3, 1, 1] });
    const cache = new FeatureCache();
    await cache.settle(cache.extend(layer, chunk, 2), false);
    const later = cache.extend(layer, chunk, 2);
    expect(await values(later)).toEqual([2, 3, 1, 2, 3]);
    await cache.settle(later, true);
    expect(cache.next).toEqual([]);
    expect(await values(cache.extend(layer, chunk, 2))).toEqual([0, 0, 1, 2, 3]);
  });
});

describe("Downsample", () => {
  const layer = new Downsample({ dim: 2, spatial: true, temporal: true }, options);
  const x = new Rng(5).normal([1, 2, 9, 4, 6]);

  test("makes 1 + n of 1 + 2n frames and halves both sides", () => {
    expect(layer.forward(x, null).shape).toEqual([1, 2, 5, 2, 3]);
    expect(layer.forward(x.slice(2, 0, 1), null).shape).toEqual([1, 2, 1, 2, 3]);
  });

  test("passes the first frame by the temporal convolution", async () => {
    const alone = layer.spatial?.forward(x.slice(2, 0, 1)) ?? x;
    await expectClose(layer.forward(x, null).slice(2, 0, 1), alone);
  });

  test("in chunks equals at once", async () => {
    await expectClose(await inChunks(layer, x, [1, 4, 4]), layer.forward(x, null));
    await expectClose(await inChunks(layer, x, [5, 2, 2]), layer.forward(x, null));
  });
});

describe.each(["nearest", "shuffle", "none"] as const)("Upsample, %s", (spatial) => {
  const layer = new Upsample({ kind: "upsample", in: 4, out: 2, spatial, temporal: true }, options);
  const x = new Rng(6).normal([1, 4, 3, 2, 3]);

  test("makes 1 + 2n of 1 + n frames", () => {
    const size = spatial === "none" ? [1, 4, 5, 2, 3] : [1, 2, 5, 4, 6];
    expect(layer.forward(x, null).shape).toEqual(size);
  });

  test("in chunks equals at once", async () => {
    await expectClose(await inChunks(layer, x, [1, 1, 1]), layer.forward(x, null));
    await expectClose(await inChunks(layer, x, [2, 1]), layer.forward(x, null));
  });
});

describe("spaceToDepth", () => {
  test("orders channels by (c, x, y)", async () => {
    // one 2×2 block: rows [0, 1] and [2, 3]; x runs before y
    const block = tensor([0, 1, 2, 3], { shape: [1, 1, 1, 2, 2] });
    const folded = spaceToDepth(block, 2);
    expect(folded.shape).toEqual([1, 4, 1, 1, 1]);
    expect(await values(folded)).toEqual([0, 2, 1, 3]);
  });

  test("is undone by depthToSpace", async () => {
    const x = new Rng(7).normal([2, 3, 2, 4, 8]);
    expect(await values(depthToSpace(spaceToDepth(x, 4), 4))).toEqual(await values(x));
  });
});
