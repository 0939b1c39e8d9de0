import { afterEach, describe, expect, test, vi } from "vitest";
import { grad } from "../autograd/grad.ts";
import { AdamW } from "../optim/adamw.ts";
import { softmax } from "../ops/softmax.ts";
import { conv2d } from "../ops/conv.ts";
import { attention } from "../ops/attention.ts";
import { Linear } from "../nn/layers.ts";
import { labelModules } from "../nn/label-modules.ts";
import { Module } from "../nn/module.ts";
import { Rng } from "../tensor/random.ts";
import { tensor } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { isEager, setEager } from "./eager.ts";

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];
const before = isEager();
afterEach(() => {
  setEager(before);
  vi.restoreAllMocks();
});

/** A training step with most kinds of ops: its loss, gradients and updated parameters. */
async function step(): Promise<number[][]> {
  const rng = new Rng(3);
  const weight = await rng.normal([4, 2, 3, 3]).realize();
  const x = rng.normal([2, 2, 6, 6]);
  const y = conv2d(x, weight).silu();
  const q = y.reshape([2, 4, 4, 4]);
  const mixed = attention(q, q, q);
  const loss = softmax(mixed).slice(0, 0, 1).pad([[1, 0], [0, 0], [0, 0], [0, 0]]).square().sum(); // prettier-ignore
  const gradients = { weight: grad(loss, [weight])[0] as Tensor };
  const tokens = new AdamW({ weight }, { lr: 0.1 }).step(gradients);
  await realize([loss, gradients.weight, ...tokens]);
  return [await values(loss), await values(gradients.weight), await values(weight)];
}

describe("eager mode", () => {
  test("gives what fused plans give, gradients and updates too", async () => {
    const fused = await step();
    setEager(true);
    const single = await step();
    for (const [i, expected] of fused.entries())
      for (const [k, value] of expected.entries()) expect(single[i]?.[k]).toBeCloseTo(value, 4);
  });

  test("names the first NaN, with shapes and module, once", async () => {
    class Net extends Module {
      readonly head = new Linear(2, 2, { rng: new Rng(1) });
      forward(x: Tensor): Tensor {
        return this.head.forward(x).log().mul(2).sum();
      }
    }
    const net = new Net();
    labelModules(net, "net");
    setEager(true);
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    await net.forward(tensor([[-1e3, 1e3], [1e3, -1e3]])).data(); // prettier-ignore
    expect(warn.mock.calls.map(([text]) => text as string)).toEqual([
      "eager: the first NaN comes from log(f32 [2, 2]) → f32 [2, 2] in net",
    ]);
  });
});
