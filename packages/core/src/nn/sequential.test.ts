import { describe, expect, test } from "vitest";
import { Rng } from "../tensor/random.ts";
import { tensor } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Dropout } from "./dropout.ts";
import { Linear } from "./layers.ts";
import { Module } from "./module.ts";
import { ModuleList, Sequential } from "./sequential.ts";

const silu = (x: Tensor): Tensor => x.silu();

describe("Sequential", () => {
  test("runs its layers in a row and names them by place, functions counted", async () => {
    const [first, second] = [new Linear(2, 3, { rng: new Rng(1) }), new Linear(3, 1, { rng: new Rng(2) })];
    const net = new Sequential(first, silu, second);
    expect(Object.keys(net.parameters())).toEqual(["0.weight", "0.bias", "2.weight", "2.bias"]);
    const x = tensor([[1, 2]]);
    expect(await net.forward(x).data()).toEqual(await second.forward(first.forward(x).silu()).data());
  });

  test("nests, and passes modes on", () => {
    class Net extends Module {
      readonly head = new Sequential(new Linear(2, 2), new Sequential(new Dropout(0.5, new Rng(1)), new Linear(2, 2)));
    }
    const net = new Net().eval();
    expect(Object.keys(net.parameters())[2]).toBe("head.1.1.weight");
    expect([...net.namedModules()].map(([name, m]) => `${name}:${m.training}`)).toEqual([
      ":false",
      "head:false",
      "head.0:false",
      "head.1:false",
      "head.1.0:false",
      "head.1.1:false",
    ]);
  });
});

test("ModuleList names its modules by place and can be walked", () => {
  class Net extends Module {
    readonly blocks = new ModuleList([new Linear(1, 2), new Linear(2, 3)]);
  }
  const { blocks } = new Net();
  expect(Object.keys(new Net().parameters())).toEqual([
    "blocks.0.weight",
    "blocks.0.bias",
    "blocks.1.weight",
    "blocks.1.bias",
  ]);
  expect(blocks).toHaveLength(2);
  expect([...blocks].at(-1)).toBe(blocks.at(-1));
});
