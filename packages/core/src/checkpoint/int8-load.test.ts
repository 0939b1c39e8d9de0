import { describe, expect, test } from "vitest";
import { Linear } from "../nn/layers.ts";
import { Module } from "../nn/module.ts";
import { memory } from "../tensor/memory.ts";
import { Rng } from "../tensor/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { convertedTensors } from "./converted.ts";
import { loadNetwork, networkMetadata, type NetworkFormat, type NetworkOptions } from "./network.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import { streamStored } from "./safetensors-writer.ts";
import { saveState } from "./state.ts";

class Network extends Module {
  readonly first = new Linear(128, 160, { rng: new Rng(1) });
  // too small to be stored as int8
  readonly last = new Linear(160, 3, { rng: new Rng(2) });
  forward(x: Tensor): Tensor {
    return this.last.forward(this.first.forward(x).silu());
  }
}

const format: NetworkFormat<null, Network> = {
  model: "two-layers",
  parse: () => null,
  build: () => new Network(),
  layouts: [],
};

async function int8File(): Promise<Uint8Array> {
  const file = await openCheckpoint(
    await saveState(new Network(), { dtype: "f32", metadata: networkMetadata(format, null) }),
  );
  const pieces: Uint8Array[] = [];
  for await (const piece of streamStored(convertedTensors(file, "int8"), { metadata: file.metadata }))
    pieces.push(piece);
  return new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
}

const load = async (options: NetworkOptions<null>): Promise<Network> =>
  (await loadNetwork(await int8File(), format, options)).realize();
const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];
const bytesOf = async (network: Network): Promise<number> => (await memory(network)).byPath.get("first.weight") ?? 0;

describe("layers that are int8 in a file", () => {
  test("stay so where asked: nearly the same results from a quarter of the bytes", async () => {
    const [kept, widened] = [await load({ int8: "keep" }), await load({})];
    expect([kept.first.weight.dtype, kept.last.weight.dtype]).toEqual(["u32", "f32"]);
    expect([widened.first.weight.dtype, widened.first.scale]).toEqual(["f32", null]);
    expect(await bytesOf(widened)).toBe(4 * 128 * 160);
    expect(await bytesOf(kept)).toBe(128 * 160);
    const x = await new Rng(3).normal([7, 128]).realize();
    const [a, b] = [await values(kept.forward(x)), await values(widened.forward(x))];
    const off = Math.hypot(...a.map((value, i) => value - (b[i] ?? NaN))) / Math.hypot(...b);
    // the same whole numbers: scales and sums differ by float32's rounding alone
    expect(off).toBeLessThan(1e-5);
  });

  test("are numbers by default, as files of floats are either way", async () => {
    const plain = await saveState(new Network(), { dtype: "f32", metadata: networkMetadata(format, null) });
    expect((await loadNetwork(plain, format, { int8: "keep" })).first.weight.dtype).toBe("f32");
    expect((await load({})).first.weight.dtype).toBe("f32");
  });
});
