import { describe, expect, test } from "vitest";
import { tensor, zeros } from "../tensor/create.ts";
import { Tensor } from "../tensor/tensor.ts";
import { readSafetensors } from "./safetensors.ts";
import { type TensorData, type TensorSource, writeSafetensors } from "./safetensors-writer.ts";
import { KeyMismatchError } from "./key-mismatch.ts";
import { type Loadable, loadState, saveState } from "./state.ts";

type Values = Float32Array | Int32Array | Uint32Array | Uint8Array;

/** A module of given parameters that logs what is loaded into it. */
function moduleOf(
  parameters: Record<string, { dtype: TensorSource["dtype"]; shape: readonly number[]; values: Values }>,
) {
  const loaded: Record<string, Values> = {};
  const calls: string[][] = [];
  const module: Loadable = {
    namedParameters: () =>
      Object.entries(parameters).map(
        ([name, { dtype, shape, values }]) => [name, { dtype, shape, data: async () => values }] as const,
      ),
    loadStateDict: async (state) => {
      calls.push(Object.keys(state));
      for (const [name, value] of Object.entries(state)) if (!(value instanceof Tensor)) loaded[name] = value.data;
    },
  };
  return { module, loaded, calls };
}

const linear = () =>
  moduleOf({
    weight: { dtype: "f32", shape: [2, 2], values: Float32Array.of(1, -2, 0.5, 4) },
    bias: { dtype: "f32", shape: [2], values: Float32Array.of(0.25, 0) },
    steps: { dtype: "i32", shape: [], values: Int32Array.of(7) },
    seed: { dtype: "u32", shape: [1], values: Uint32Array.of(2 ** 32 - 1) },
    mask: { dtype: "bool", shape: [2], values: Int32Array.of(0, 1) },
  });

describe("saveState and loadState", () => {
  test("bring a module's parameters and metadata back, each in its own type", async () => {
    const file = await saveState(linear().module, { metadata: { config: "{}" }, dtype: "f16" });
    const { module, loaded } = linear();
    expect(await loadState(module, file)).toEqual({
      metadata: { config: "{}" },
      missing: [],
      unexpected: [],
      misshaped: [],
    });
    expect(loaded).toEqual({
      weight: Float32Array.of(1, -2, 0.5, 4),
      bias: Float32Array.of(0.25, 0),
      steps: Int32Array.of(7),
      seed: Uint32Array.of(2 ** 32 - 1),
      mask: Uint32Array.of(0, 1),
    });
  });

  test("the same parameters give the same file", async () => {
    expect(await saveState(linear().module)).toEqual(await saveState(linear().module));
  });

  test("save any record of tensors", async () => {
    const exponentialAverage = { w: { dtype: "f32", shape: [1], data: async () => Float32Array.of(3) } } as const;
    const file = await saveState({ namedParameters: () => Object.entries(exponentialAverage) });
    expect(await (await readSafetensors(file)).tensors["w"]?.data()).toEqual(Float32Array.of(3));
  });
});

describe("loadState", () => {
  const stored: Record<string, TensorData> = {
    weight: { shape: [2, 2], data: new Float32Array(4) },
    bias: { shape: [2], data: Uint16Array.of(0x3f80, 0), dtype: "BF16" },
    steps: { shape: [], data: BigInt64Array.of(9n) },
    seed: { shape: [1], data: Uint32Array.of(1) },
    mask: { shape: [2], data: Uint8Array.of(1, 0), dtype: "BOOL" },
  };
  const without = (name: string) => Object.fromEntries(Object.entries(stored).filter(([key]) => key !== name));

  test("converts what other programs stored", async () => {
    const { module, loaded } = linear();
    await loadState(module, writeSafetensors(stored));
    expect(loaded["bias"]).toEqual(Float32Array.of(1, 0));
    expect(loaded["steps"]).toEqual(Int32Array.of(9));
  });

  test.each([
    ["a missing name", without("bias"), 'must hold the module\'s 5 tensors, got 1 missing ("bias"); build the network'],
    [
      "missing and unexpected names",
      { ...without("bias"), beta: { shape: [2], data: new Float32Array(2) } },
      '1 missing ("bias") and 1 unexpected ("beta")',
    ],
    [
      "another shape",
      { ...stored, bias: { shape: [1, 2], data: new Float32Array(2) } },
      '1 misshaped ("bias" must be [2], is [1, 2])',
    ],
  ])("refuses %s and leaves the module alone", async (_, tensors, message) => {
    const { module, calls } = linear();
    await expect(loadState(module, writeSafetensors(tensors))).rejects.toThrow(message);
    expect(calls).toEqual([]);
  });

  test("names five of many", async () => {
    const many = Object.fromEntries(
      Array.from({ length: 9 }, (_, i) => [`extra${i}`, { shape: [0], data: new Float32Array(0) }]),
    );
    await expect(loadState(linear().module, writeSafetensors({ ...stored, ...many }))).rejects.toThrow(
      '9 unexpected ("extra0", "extra1", "extra2", "extra3", "extra4" and 4 more)',
    );
  });

  test("loads what fits when it is asked to be partial, and lists the rest", async () => {
    const { module, loaded } = linear();
    const tensors = {
      ...without("bias"),
      beta: { shape: [2], data: new Float32Array(2) },
      steps: { shape: [3], data: new BigInt64Array(3) },
    };
    const result = await loadState(module, writeSafetensors(tensors), { partial: true });
    expect(result).toEqual({
      metadata: {},
      missing: ["bias"],
      unexpected: ["beta"],
      misshaped: [{ name: "steps", wanted: [], got: [3] }],
    });
    expect(Object.keys(loaded).sort()).toEqual(["mask", "seed", "weight"]);
  });

  test("lists all names on the error, whatever the message has room for", async () => {
    const { module } = linear();
    const error: unknown = await loadState(module, writeSafetensors({})).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(KeyMismatchError);
    expect(error).toMatchObject({ missing: ["weight", "bias", "steps", "seed", "mask"], unexpected: [] });
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])(
    "refuses %s when asked to, before the module changes",
    async (bad) => {
      const { module, calls } = linear();
      const file = writeSafetensors({ ...stored, weight: { shape: [2, 2], data: Float32Array.of(1, 2, bad, 4) } });
      await expect(loadState(module, file, { checkFinite: true })).rejects.toThrow(
        `tensor "weight" must hold finite numbers, got ${bad} at 2; use another checkpoint`,
      );
      expect(calls).toEqual([]);
      await loadState(module, file);
      expect(calls).toHaveLength(1);
    },
  );

  test("hands a large checkpoint over in groups", async () => {
    const shape = [9 << 20];
    const values = new Float32Array(9 << 20);
    const names = ["a", "b", "c"];
    const { module, calls } = moduleOf(
      Object.fromEntries(names.map((name) => [name, { dtype: "f32", shape, values }])),
    );
    // Halves keep the file small: 36 MiB a parameter once loaded, so the second fills a group of 64 MiB.
    const tensors = Object.fromEntries(
      names.map((name) => [name, { shape, data: new Uint8Array(9 << 20), dtype: "F8_E4M3" as const }]),
    );
    await loadState(module, writeSafetensors(tensors));
    expect(calls).toEqual([["a", "b"], ["c"]]);
  });
});

test.each(["f16", "bf16", "u8"] as const)("%s tensors are saved as such and come back, bit for bit", async (dtype) => {
  const x = await tensor(
    [1, 2.5, -3, 7, 200].map((v) => (dtype === "u8" ? Math.abs(Math.trunc(v)) : v)),
    { dtype },
  ).realize();
  const file = await saveState({ namedParameters: () => [["x", x]] });
  const { tensors } = await readSafetensors(file);
  expect(tensors["x"]?.dtype).toBe(dtype.toUpperCase());
  const y = await zeros([5], dtype).realize();
  await loadState(
    { namedParameters: () => [["x", y]], loadStateDict: ({ x: value }) => (y.node = (value as Tensor).node) },
    file,
  );
  expect(y.dtype).toBe(dtype);
  expect(await y.data()).toEqual(await x.data());
});
