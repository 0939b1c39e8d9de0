import { describe, expect, test } from "vitest";
import { Module } from "../nn/module.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { bytesSource } from "./byte-source.ts";
import { uploadTensor } from "./device-tensor.ts";
import { readSafetensors } from "./safetensors.ts";
import { writeSafetensors } from "./safetensors-writer.ts";
import { loadState, saveState } from "./state.ts";

class Net extends Module {
  readonly weight = zeros([2, 2]);
  readonly steps = zeros([], "i32");
  readonly seed = zeros([3], "u32");
  readonly mask = zeros([2], "bool");
  readonly empty = zeros([0, 4]);
  readonly tied = this.weight;
}

describe("loadState into a module of tensors", () => {
  test("puts every type on the device, tied parameters once", async () => {
    const net = new Net();
    const values = {
      weight: tensor([1, -2, 0.5, 4]).reshape([2, 2]),
      steps: tensor(Int32Array.of(-7), { shape: [] }),
      seed: tensor(Uint32Array.of(1, 2, 2 ** 32 - 1)),
      mask: tensor(Uint32Array.of(0, 1), { dtype: "bool" }),
      empty: zeros([0, 4]),
    };
    const file = await saveState({ namedParameters: () => Object.entries({ ...values, tied: values.weight }) });
    await loadState(net, file);
    for (const [name, wanted] of Object.entries(values)) {
      const loaded = net.parameters()[name];
      expect(loaded?.node.source?.kind).toBe("device");
      expect(await loaded?.data()).toEqual(await wanted.data());
    }
    expect(net.tied).toBe(net.weight);
  });
});

describe("uploadTensor", () => {
  // 2.5 pieces of 4 MiB, as stored
  const shape = [5, 512, 1024];
  const halves = Uint16Array.from({ length: 5 * 512 * 1024 }, (_, i) => 0x3c00 + (i % 1024));

  test("keeps the order of pieces, and reads no more than one at a time", async () => {
    const file = writeSafetensors({ w: { shape, data: halves, dtype: "F16" } });
    const lengths: number[] = [];
    const source = bytesSource(file);
    const counted = {
      ...source,
      read: (offset: number, length: number) => (lengths.push(length), source.read(offset, length)),
    };
    const { tensors } = await readSafetensors(counted);
    const { w } = tensors;
    if (w === undefined) throw new Error("no tensor w");
    const loaded = await uploadTensor(w, "f32");
    expect(loaded.shape).toEqual(shape);
    const data = await loaded.data();
    // halves from 1 on are 1/1024 apart
    expect(data.every((value, i) => value === 1 + (i % 1024) / 1024)).toBe(true);
    expect(Math.max(...lengths)).toBe(4 << 20);
    loaded.dispose();
  });
});
