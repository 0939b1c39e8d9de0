import { describe, expect, test } from "vitest";
import { conv1d, conv2d, conv3d } from "../ops/conv.ts";
import { linear } from "../ops/linear.ts";
import { groupNorm, instanceNorm, layerNorm, rmsNorm } from "../ops/norm.ts";
import { Rng } from "../tensor/random.ts";
import { tensor } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { sample } from "../testing/nd.ts";
import { grad } from "../autograd/grad.ts";
import { normal } from "./init.ts";
import { Conv1d, Conv2d, Conv3d, Embedding, GroupNorm, InstanceNorm, LayerNorm, Linear, RMSNorm } from "./layers.ts";
import type { Module } from "./module.ts";

const leaf = (...shape: number[]): Tensor => tensor(Float32Array.from(sample(shape, 1).data), { shape });
const same = async (a: Tensor, b: Tensor): Promise<void> => {
  await realize([a, b]);
  expect(a.shape).toEqual(b.shape);
  expect(await a.data()).toEqual(await b.data());
};

describe("layers", () => {
  const options = { stride: 2, padding: 1, groups: 2, rng: new Rng(4) };
  const [x1, x2, x3] = [leaf(2, 4, 7), leaf(1, 4, 5, 6), leaf(1, 4, 3, 4, 4)];
  const dense = new Linear(7, 3, { rng: new Rng(1) });
  const flat = new Conv1d(4, 6, 3, options);
  const image = new Conv2d(4, 6, [3, 1], options);
  const clip = new Conv3d(4, 6, [1, 3, 3], { ...options, bias: false });
  const [plane, sample1] = [new LayerNorm([5, 6]), new InstanceNorm(4, { affine: true })];
  const [rms, layer, group] = [new RMSNorm(4, { axis: 1 }), new LayerNorm(7), new GroupNorm(2, 4)];

  test.each<[string, Module, readonly number[][], () => [Tensor, Tensor]]>([
    ["Linear", dense, [[3, 7], [3]], () => [dense.forward(x1), linear(x1, dense.weight, dense.bias)]],
    ["Conv1d", flat, [[6, 2, 3], [6]], () => [flat.forward(x1), conv1d(x1, flat.weight, flat.bias, options)]],
    ["Conv2d", image, [[6, 2, 3, 1], [6]], () => [image.forward(x2), conv2d(x2, image.weight, image.bias, options)]],
    ["Conv3d", clip, [[6, 2, 1, 3, 3]], () => [clip.forward(x3), conv3d(x3, clip.weight, null, options)]],
    ["RMSNorm", rms, [[4]], () => [rms.forward(x1), rmsNorm(x1, rms.weight, { axis: 1 })]],
    ["LayerNorm", layer, [[7], [7]], () => [layer.forward(x1), layerNorm(x1)]],
    ["GroupNorm", group, [[4], [4]], () => [group.forward(x1), groupNorm(x1, 2)]],
    [
      "LayerNorm of two axes",
      plane,
      [
        [5, 6],
        [5, 6],
      ],
      () => [plane.forward(x2), layerNorm(x2, null, null, { axes: 2 })],
    ],
    ["InstanceNorm", new InstanceNorm(4), [], () => [new InstanceNorm(4).forward(x1), instanceNorm(x1)]],
    ["affine InstanceNorm", sample1, [[4], [4]], () => [sample1.forward(x1), instanceNorm(x1)]],
  ])("%s has its parameters and is its op", async (_, module, shapes, results) => {
    expect(Object.values(module.parameters()).map((t) => t.shape)).toEqual(shapes);
    const [a, b] = results();
    await same(a, b);
  });

  test("Embedding takes rows of a normal table", async () => {
    const table = new Embedding(5, 3, { rng: new Rng(2) });
    await same(
      table.forward(tensor([4, 0], { dtype: "i32" })),
      tensor([[0]]).add(table.weight.slice(0, 0, 5, 4).flip(0)),
    );
    await same(table.weight, new Rng(2).normal([5, 3]));
  });
});

describe("Embedding with padding", () => {
  test("starts that row as zeros and gives it no gradient", async () => {
    const table = await new Embedding(4, 2, { padding: 1, rng: new Rng(2) }).realize();
    const y = table.forward(tensor([1, 3, 1], { dtype: "i32" }));
    const [g] = grad(y.sum(), [table.weight]);
    expect([...(await table.weight.slice(0, 1, 2).data())]).toEqual([0, 0]);
    expect(await g?.data()).toEqual(Float32Array.of(0, 0, 0, 0, 0, 0, 1, 1));
  });
});

describe("initial values", () => {
  test("come from an initialiser where one is given, with a bias of zeros", async () => {
    const layer = new Linear(3, 2, { init: normal({ std: 0.02 }), rng: new Rng(9) });
    await same(layer.weight, new Rng(9).normal([2, 3]).mul(0.02).add(0));
    expect(await layer.bias?.data()).toEqual(new Float32Array(2));
  });

  test("are uniform in ±1/√fanIn, the fan-in of a convolution counting its taps and groups", async () => {
    const wide = new Linear(400, 50, { rng: new Rng(3) });
    const conv = new Conv2d(8, 64, 5, { groups: 2, rng: new Rng(3) });
    for (const [t, fanIn] of [
      [wide.weight, 400],
      [conv.weight, 100],
    ] as const) {
      const bound = 1 / Math.sqrt(fanIn);
      const [top, square] = [t.abs().max(), t.square().mean()];
      await realize([top, square]);
      expect(await top.item()).toBeLessThanOrEqual(bound * (1 + 1e-6));
      // variance of the uniform distribution, bound²/3, to a few standard errors of thousands of draws
      expect(Math.abs((await square.item()) / (bound ** 2 / 3) - 1)).toBeLessThan(0.1);
    }
  });

  test("are zeros when asked for, and repeat with the generator's seed", async () => {
    const zero = new Linear(3, 2, { init: "zeros" });
    expect([...(await zero.weight.data()), ...((await zero.bias?.data()) ?? [])]).toEqual(new Array(8).fill(0));
    await same(new Linear(3, 2, { rng: new Rng(9) }).weight, new Linear(3, 2, { rng: new Rng(9) }).weight);
    expect(new Linear(3, 2, { bias: false }).bias).toBeNull();
  });
});
