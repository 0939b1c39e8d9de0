import { describe, expect, test } from "vitest";
import { convertedTensors } from "./converted.ts";
import { dequantised } from "./dequantised.ts";
import { channelsFirst, swapped } from "./key-rules.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import { readSafetensors } from "./safetensors.ts";
import { type TensorData, writeSafetensors } from "./safetensors-writer.ts";
import { joinedView, slicedView } from "./stored-view.ts";

const opened = (tensors: Record<string, TensorData>) => openCheckpoint(writeSafetensors(tensors));
// 0x38 is 1, 0x40 is 2, 0xb8 is -1 in e4m3
const fp8 = (shape: readonly number[]): TensorData => ({
  shape,
  data: Uint8Array.of(0x38, 0x40, 0xb8, 0x38),
  dtype: "F8_E4M3",
});

describe("quantised tensors", () => {
  test("of int8 with a scale a row become numbers, whole, in pieces and in ranges", async () => {
    const { tensors } = await opened({
      "w.weight": { shape: [2, 2], data: Int8Array.of(127, -2, 3, 4) },
      "w.weight_scale": { shape: [2, 1], data: Float32Array.of(0.5, 10) },
      "w.bias": { shape: [2], data: Float32Array.of(7, 8) },
    });
    expect(Object.keys(tensors).sort()).toEqual(["w.bias", "w.weight"]);
    const weight = tensors["w.weight"];
    expect(weight?.dtype).toBe("F32");
    expect(await weight?.data("f32")).toEqual(Float32Array.of(63.5, -1, 30, 40));
    expect(await weight?.range("f32", 1, 2)).toEqual(Float32Array.of(-1, 30));
    for await (const piece of weight?.pieces("f32") ?? []) expect(piece).toEqual(Float32Array.of(63.5, -1, 30, 40));
  });

  test("of fp8 with one scale, in either naming, become numbers; without one they are what they say", async () => {
    const { tensors } = await opened({
      "a.weight": fp8([4]),
      "a.scale_weight": { shape: [], data: Float32Array.of(3) },
      "b.weight": fp8([2, 2]),
      "b.weight_scale": { shape: [1], data: Float32Array.of(5) },
      "c.weight": fp8([4]),
      scaled_fp8: { shape: [0], data: new Uint8Array(0), dtype: "F8_E4M3" },
    });
    expect(await tensors["a.weight"]?.data("f32")).toEqual(Float32Array.of(3, 6, -3, 3));
    expect(await tensors["b.weight"]?.data("f32")).toEqual(Float32Array.of(5, 10, -5, 5));
    expect(await tensors["c.weight"]?.data("f32")).toEqual(Float32Array.of(1, 2, -1, 1));
    expect(tensors["scaled_fp8"]).toBeUndefined();
  });

  test.each([
    ["w.weight_scale_inv", { shape: [1, 1], data: Float32Array.of(1) }],
    ["w.weight_zero_point", { shape: [2, 1], data: Int8Array.of(1, 1) }],
  ])("with %s are refused: another scheme", async (name, tensor) => {
    await expect(opened({ "w.weight": fp8([2, 2]), [name]: tensor })).rejects.toThrow(
      `int8 and fp8 weights must have one scale, or one a row, got another scheme, with "${name}"; use a file in f16`,
    );
  });

  test("with a scale a column are refused", async () => {
    const file = opened({
      "w.weight": { shape: [1, 2], data: Int8Array.of(1, 2) },
      "w.weight_scale": { shape: [1, 2], data: Float32Array.of(1, 2) },
    });
    await expect(file).rejects.toThrow('"w.weight_scale" must have one value or 1, one a row');
  });

  test("a file without any is left alone", async () => {
    const plain = await readSafetensors(writeSafetensors({ x: { shape: [1], data: Int8Array.of(1) } }));
    expect((await dequantised(plain).tensors["x"]?.data())?.[0]).toBe(1);
  });
});

describe("convertedTensors", () => {
  test("quantises large matrices named weight alone, a row of zeros to zeros", async () => {
    const matrix = { shape: [2, 8192], data: new Float32Array(16_384).fill(3, 8192) };
    const file = await opened({
      "m.weight": matrix,
      table: matrix,
      "n.weight": { shape: [2], data: new Float32Array(2) },
    });
    const out = convertedTensors(file, "int8");
    expect(Object.fromEntries([...out].map(([name, { dtype }]) => [name, dtype]))).toEqual({
      "m.weight": "I8",
      "m.weight_scale": "F32",
      table: "F32",
      "n.weight": "F32",
    });
    const bytes: number[] = [];
    for await (const piece of out.get("m.weight")?.bytes() ?? []) bytes.push(...piece);
    expect([bytes[0], bytes[8191], bytes[8192], bytes.length]).toEqual([0, 0, 127, 16_384]);
  });
});

describe("views of stored tensors", () => {
  test("join parts and take slices across their borders, as they are stored", async () => {
    const { tensors } = await opened({
      a: { shape: [2, 2], data: Uint16Array.of(1, 2, 3, 4), dtype: "F16" },
      b: { shape: [1, 2], data: Uint16Array.of(5, 6), dtype: "F16" },
    });
    const [a, b] = [tensors["a"], tensors["b"]];
    if (!a || !b) throw new Error("both were written");
    const joined = joinedView([a, b], { name: "ab", shape: [3, 2] });
    expect(joined.dtype).toBe("F16");
    expect(await joined.stored()).toEqual(Uint16Array.of(1, 2, 3, 4, 5, 6));
    expect(await slicedView(joined, 3, { name: "s", shape: [2] }).stored()).toEqual(Uint16Array.of(4, 5));
    const turned = joinedView([joined], { name: "t", shape: [3, 2], rows: 3, rowOf: (row) => 2 - row });
    expect(await turned.stored()).toEqual(Uint16Array.of(5, 6, 3, 4, 1, 2));
  });

  test.each([
    ["swapped", swapped],
    ["channelsFirst", channelsFirst],
  ])("%s has its inverse", (_, { rowOf, rowFrom }) => {
    for (const rows of [4, 8, 64])
      for (let row = 0; row < rows; row++) expect(rowFrom?.(rowOf?.(row, rows) ?? -1, rows)).toBe(row);
  });
});
