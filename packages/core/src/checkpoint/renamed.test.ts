import { describe, expect, test } from "vitest";
import { Linear } from "../nn/index.ts";
import { renamed } from "./renamed.ts";
import { readSafetensors } from "./safetensors.ts";
import { writeSafetensors } from "./safetensors-writer.ts";
import { loadState } from "./state.ts";

const upstream = () =>
  readSafetensors(
    writeSafetensors({
      "model.proj.kernel": { dtype: "F32", shape: [1, 2], data: Float32Array.of(3, 4) },
      "model.proj.offset": { dtype: "F32", shape: [1], data: Float32Array.of(5) },
      optimizer: { dtype: "F32", shape: [1], data: Float32Array.of(6) },
    }),
  );
const names: Readonly<Record<string, string | null>> = {
  "model.proj.kernel": "weight",
  "model.proj.offset": "bias",
  optimizer: null,
};

describe("renamed", () => {
  test("loads a public file into a module with other names", async () => {
    const layer = new Linear(2, 1);
    await loadState(
      layer,
      renamed(await upstream(), (name) => names[name]),
    );
    expect([...(await layer.weight.data()), ...((await layer.bias?.data()) ?? [])]).toEqual([3, 4, 5]);
  });

  test("keeps a name that the rule does not know, so that a strict load lists it", async () => {
    const checkpoint = renamed(await upstream(), (name) => (name === "optimizer" ? undefined : names[name]));
    await expect(loadState(new Linear(2, 1), checkpoint)).rejects.toThrow('1 unexpected ("optimizer")');
  });

  test("refuses two tensors for one name", async () => {
    const checkpoint = await upstream();
    expect(() => renamed(checkpoint, () => "weight")).toThrow('one tensor must become "weight"');
  });
});

describe("StoredTensor.range", () => {
  test("gives some values and reads no others", async () => {
    const file = writeSafetensors({ table: { dtype: "F32", shape: [3, 2], data: Float32Array.of(0, 1, 2, 3, 4, 5) } });
    const reads: number[] = [];
    const { tensors } = await readSafetensors({
      name: "table",
      size: file.length,
      read: async (at, length) => (reads.push(length), file.slice(at, at + length)),
      close: async () => {},
    });
    reads.length = 0;
    expect([...((await tensors["table"]?.range("f32", 2, 2)) ?? [])]).toEqual([2, 3]);
    expect(reads).toEqual([8]);
    await expect(tensors["table"]?.range("f32", 4, 3)).rejects.toThrow("must have the values asked for, of 6");
  });
});
