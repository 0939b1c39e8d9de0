import { describe, expect, test } from "vitest";
import { ShapeError } from "../base/errors.ts";
import { arange, ones, realize, tensor, zeros, type Tensor } from "../tensor/tensor.ts";
import { Linear } from "./layers.ts";
import { Module } from "./module.ts";

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
    const load = (): void => net.loadStateDict(state);
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
    net.loadStateDict({ "blocks.0.scale": tensor([8, 9]), extra: zeros([1]) }, { strict: false });
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
