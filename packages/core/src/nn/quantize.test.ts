import { expect, test } from "vitest";
import { getDevice } from "../runtime/index.ts";
import { Rng } from "../tensor/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { MultiHeadAttention } from "./attention.ts";
import { Linear } from "./layers.ts";
import { Module } from "./module.ts";
import { quantizeLinear } from "./quantize.ts";
import { Sequential } from "./sequential.ts";

class Network extends Module {
  readonly attention: MultiHeadAttention;
  readonly layers: Sequential;
  readonly head: Linear;
  constructor(rng: Rng) {
    super();
    this.attention = new MultiHeadAttention(24, 2, { rng });
    this.layers = new Sequential(new Linear(24, 50, { rng }), (x: Tensor) => x.silu(), new Linear(50, 24, { rng }));
    this.head = new Linear(24, 5, { rng });
  }
  forward(x: Tensor): Tensor {
    return this.head.forward(this.layers.forward(this.attention.forward(x)));
  }
}

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];

test("a network with 8-bit layers gives nearly the same, keeps its head, and is smaller", async () => {
  const network = await new Network(new Rng(1)).realize();
  const x = await new Rng(2).normal([1, 9, 24]).realize();
  const before = await values(network.forward(x));
  const { pool } = await getDevice();
  const bytes = pool.liveBytes;
  expect(await quantizeLinear(network, (path) => path !== "head")).toEqual([
    "attention.out_proj",
    "layers.0",
    "layers.2",
  ]);
  expect(pool.liveBytes).toBeLessThan(bytes);
  const after = await values(network.forward(x));
  const off = Math.hypot(...after.map((v, i) => v - (before[i] ?? NaN))) / Math.hypot(...before);
  // three layers in a row, each off by about 0.5 % for weights drawn evenly
  expect(off).toBeLessThan(0.02);
  expect(off).toBeGreaterThan(0);
  expect(Object.keys(network.trainableParameters())).toEqual([
    "attention.in_proj_weight",
    "attention.in_proj_bias",
    "attention.out_proj.bias",
    "layers.0.bias",
    "layers.2.bias",
    "head.weight",
    "head.bias",
  ]);
  expect(await quantizeLinear(network, (path) => path !== "head")).toEqual([]);

  const copy = new Network(new Rng(3));
  expect(() => copy.loadStateDict(network.stateDict())).toThrow(
    /layers\.0\.weight: f32 \[50, 24\] wanted, got u32 \[50, 6\]/,
  );
  await quantizeLinear(copy, (path) => path !== "head");
  copy.loadStateDict(network.stateDict());
  expect(await values(copy.forward(x))).toEqual(after);
});

test("a weight that another path names stays on the device", async () => {
  class Tied extends Module {
    readonly table: Tensor;
    readonly head: Linear;
    constructor() {
      super();
      this.head = new Linear(8, 6);
      this.table = this.head.weight;
    }
  }
  const tied = await new Tied().realize();
  const before = await values(tied.table);
  expect(await quantizeLinear(tied)).toEqual(["head"]);
  expect(await values(tied.table)).toEqual(before);
});
