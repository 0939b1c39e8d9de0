import { describe, expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { Rng } from "../tensor/random.ts";
import { tensor } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { difference } from "../testing/allclose.ts";
import { sample } from "../testing/nd.ts";
import { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from "./conv-transpose.ts";
import { Conv1d, Conv2d, Conv3d } from "./layers.ts";

const leaf = (shape: readonly number[]): Tensor => tensor(Float32Array.from(sample(shape, 1).data), { shape });

describe("transposed convolutions", () => {
  // a transposed convolution is, by name and definition, the gradient of the convolution with the same weight
  test.each([
    [1, [2, 6, 5], [2, 4, 10]],
    [2, [1, 6, 3, 4], [1, 4, 6, 8]],
    [3, [1, 6, 2, 3, 2], [1, 4, 4, 6, 4]],
  ] as const)("of %d axes are the gradients of convolutions", async (rank, small, large) => {
    const options = { stride: 2, padding: 1, groups: 2, bias: false, rng: new Rng(2) };
    const up = { ...options, outputPadding: 1 };
    const transposed = [
      new ConvTranspose1d(6, 4, 3, up),
      new ConvTranspose2d(6, 4, 3, up),
      new ConvTranspose3d(6, 4, 3, up),
    ][rank - 1];
    const conv = [new Conv1d(4, 6, 3, options), new Conv2d(4, 6, 3, options), new Conv3d(4, 6, 3, options)][rank - 1];
    if (!transposed || !conv) throw new Error("a layer a rank");
    expect(Object.values(transposed.parameters()).map((t) => t.shape)).toEqual([conv.weight.shape]);
    conv.loadStateDict(transposed.stateDict());
    const [x, dy] = [leaf(large), leaf(small)];
    const [dx] = grad(conv.forward(x), [x], dy);
    const y = transposed.forward(dy);
    expect(y.shape).toEqual(large);
    await realize([y, ...(dx ? [dx] : [])]);
    // sums of at most 81 products of numbers below 1, in another order
    expect(difference(await y.data(), (await dx?.data()) ?? [], { absolute: 2e-6, relative: 2e-6 })).toBeNull();
  });

  test("add their bias to each output channel", async () => {
    const layer = new ConvTranspose1d(1, 2, 2, { stride: 2 });
    layer.loadStateDict({
      weight: tensor([
        [
          [1, 2],
          [3, 4],
        ],
      ]),
      bias: tensor([10, 20]),
    });
    expect(await layer.forward(tensor([[[1, -1]]])).data()).toEqual(Float32Array.of(11, 12, 9, 8, 23, 24, 17, 16));
  });
});
