import { describe, expect, test } from "vitest";
import { ShapeError } from "../base/errors.ts";
import { arange, ones, tensor, zeros } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { Linear } from "./layers.ts";
import { buffer, Module } from "./module.ts";

class Block extends Module {
  readonly scale: Tensor = ones([2]);
  readonly norm: Linear | null = null;
  readonly width = 2;
  readonly #hidden = ones([5]);
  readonly proj = new Linear(2, 3);
  hidden(): Tensor {
    return this.#hidden;
  }
}
class Net extends Module {
  readonly blocks = [new Block(), new Block()];
  readonly towers = [[ones([1])], [ones([1]), ones([1])]];
  readonly steps = arange(3, { dtype: "i32" });
  readonly mask = tensor([1, 0], { dtype: "bool" });
  readonly name = "net";
}

describe("a module's tree", () => {
  test("names tensors by dotted paths in order of declaration, private and other fields aside", () => {
    expect(Object.keys(new Net().parameters())).toEqual([
      "blocks.0.scale",
      "blocks.0.proj.weight",
      "blocks.0.proj.bias",
      "blocks.1.scale",
      "blocks.1.proj.weight",
      "blocks.1.proj.bias",
      "towers.0.0",
      "towers.1.0",
      "towers.1.1",
      "steps",
      "mask",
    ]);
    expect(new Net().numParameters()).toBe(2 * (2 + 6 + 3) + 3 + 3 + 2);
    expect([...new Net().namedParameters("net.")][0]?.[0]).toBe("net.blocks.0.scale");
  });

  test("holds the very tensors of its fields", async () => {
    const net = await new Net().realize();
    expect(net.parameters()["blocks.1.proj.weight"]).toBe(net.blocks[1]?.proj.weight);
    expect(net.steps.node.source?.kind).not.toBeNull();
  });
});

class Tied extends Module {
  readonly input = new Linear(2, 3);
  readonly mean = buffer(zeros([3]));
  readonly output = this.input.weight;
  readonly ids = arange(3, { dtype: "i32" });
}

describe("trainable parameters", () => {
  test("are numbers of f32 that are neither buffers nor frozen, shared ones once", () => {
    const net = new Tied();
    expect(Object.keys(net.trainableParameters())).toEqual(["input.weight", "input.bias"]);
    expect(net.numTrainable()).toBe(9);
    expect(Object.keys(net.stateDict())).toEqual(["input.weight", "input.bias", "mean", "output", "ids"]);
  });

  test("come and go with freeze and unfreeze, by path, and stay frozen through a load", () => {
    const net = new Net().freeze((name) => name.startsWith("blocks.0"));
    expect(Object.keys(net.trainableParameters())[0]).toBe("blocks.1.scale");
    net.loadStateDict(new Net().stateDict());
    expect(Object.keys(net.trainableParameters())[0]).toBe("blocks.1.scale");
    net.unfreeze((name) => name === "blocks.0.scale");
    expect(Object.keys(net.trainableParameters()).slice(0, 2)).toEqual(["blocks.0.scale", "blocks.1.scale"]);
    expect(Object.keys(net.freeze().trainableParameters())).toEqual([]);
    expect(Object.keys(net.unfreeze().trainableParameters())).toHaveLength(9);
    // another network of the kind is not touched
    net.freeze();
    expect(Object.keys(new Net().trainableParameters())).toHaveLength(9);
  });
});

describe("train and eval", () => {
  test("reach every module inside, in arrays too", () => {
    const net = new Net();
    expect([...net.namedModules()].map(([name]) => name)).toEqual([
      "",
      "blocks.0",
      "blocks.0.proj",
      "blocks.1",
      "blocks.1.proj",
    ]);
    expect(net.blocks[1]?.proj.training).toBe(true);
    net.eval();
    expect([...net.namedModules()].map(([, m]) => m.training)).toEqual([false, false, false, false, false]);
    net.blocks[0]?.train();
    expect([net.training, net.blocks[0]?.proj.training, net.blocks[1]?.training]).toEqual([false, true, false]);
  });

  test("leave nothing to write where no layer keeps statistics", () => {
    expect(new Net().updates()).toEqual([]);
  });
});

describe("loadStateDict", () => {
  test("takes what another module of the kind gives, tensors or plain arrays", async () => {
    const [from, to] = [await new Net().realize(), new Net()];
    await realize([from.steps.assign(from.steps.add(5))]);
    to.loadStateDict(from.stateDict());
    expect(await to.steps.data()).toEqual(Int32Array.of(5, 6, 7));
    const plain = Object.fromEntries(
      await Promise.all(
        Object.entries(from.stateDict()).map(
          async ([name, t]) => [name, { shape: t.shape, data: await t.data() }] as const,
        ),
      ),
    );
    const again = new Net();
    again.loadStateDict(plain);
    expect(await again.blocks[0]?.proj.weight.data()).toEqual(await from.blocks[0]?.proj.weight.data());
  });

  test("keeps the dtypes of whole-number and bool tensors", async () => {
    const net = new Net();
    net.loadStateDict(
      { steps: { shape: [3], data: Int32Array.of(7, 8, 9) }, mask: { shape: [2], data: Uint32Array.of(0, 1) } },
      { strict: false },
    );
    expect([net.steps.dtype, net.mask.dtype]).toEqual(["i32", "bool"]);
    expect(await net.mask.not().data()).toEqual(Uint32Array.of(1, 0));
    expect(await net.steps.add(1).data()).toEqual(Int32Array.of(8, 9, 10));
  });

  test("lists all that is missing, unexpected, misshaped or mistyped, and then changes nothing", async () => {
    const net = new Net();
    const state: Record<string, Tensor> = { ...new Net().stateDict(), extra: zeros([1]), other: zeros([2]) };
    delete state["towers.1.1"];
    delete state["blocks.0.scale"];
    state["blocks.1.scale"] = zeros([2]);
    state["blocks.1.proj.weight"] = zeros([2, 3]);
    state["steps"] = zeros([3]);
    const load = () => net.loadStateDict(state);
    expect(load).toThrow(ShapeError);
    expect(load).toThrow(
      "loadStateDict: the state must fit the module: missing blocks.0.scale, towers.1.1; unexpected extra, other; " +
        "misshaped blocks.1.proj.weight: f32 [3, 2] wanted, got f32 [2, 3], steps: i32 [3] wanted, got f32 [3]",
    );
    expect(await net.blocks[1]?.scale.data()).toEqual(Float32Array.of(1, 1));
    expect(() =>
      net.loadStateDict({ steps: { shape: [3], data: Float32Array.of(1, 2, 3) } }, { strict: false }),
    ).toThrow("steps: i32 [3] wanted, got f32 [3]");
  });

  test("long lists are cut", () => {
    expect(() => new Net().loadStateDict({})).toThrow("towers.0.0, towers.1.0 and 3 more");
  });

  test("when not strict takes what there is, but never a misfit", async () => {
    const net = new Net();
    const { missing, unexpected } = net.loadStateDict(
      { "blocks.0.scale": tensor([8, 9]), extra: zeros([1]) },
      { strict: false },
    );
    expect(unexpected).toEqual(["extra"]);
    expect(missing).toHaveLength(Object.keys(net.parameters()).length - 1);
    expect(await net.blocks[0]?.scale.data()).toEqual(Float32Array.of(8, 9));
    expect(() => net.loadStateDict({ "blocks.0.scale": zeros([3]) }, { strict: false })).toThrow(
      "misshaped blocks.0.scale",
    );
  });

  test("expressions recorded before keep the old values", async () => {
    const net = await new Net().realize();
    const before = net.blocks[0]?.scale.mul(2);
    net.loadStateDict({ "blocks.0.scale": tensor([8, 9]) }, { strict: false });
    expect(await before?.data()).toEqual(Float32Array.of(2, 2));
  });
});

test("to() casts the floating parameters wanted; integers stay", async () => {
  const net = await new Net().to("f16", (name) => name.startsWith("blocks.0")).realize();
  const dtypes = Object.fromEntries([...net.namedParameters()].map(([name, t]) => [name, t.dtype]));
  expect(dtypes).toMatchObject({
    "blocks.0.proj.weight": "f16",
    "blocks.1.proj.weight": "f32",
    steps: "i32",
    mask: "bool",
  });
  expect(Object.keys(net.trainableParameters())).not.toContain("blocks.0.scale");
  const y = net.blocks[0]?.proj.forward(tensor([[1, 2]]));
  expect(y?.dtype).toBe("f32");
  expect([...((await y?.data()) ?? [])]).toHaveLength(3);
  expect((await net.to("f32").realize()).blocks[0]?.scale.dtype).toBe("f32");
});
