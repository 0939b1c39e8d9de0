import { tensor } from "@omni/core";
import type { ByteSource } from "@omni/core/checkpoint";
import { expect, test } from "vitest";
import { presets } from "./config.ts";
import { StreamedT5Encoder } from "./streamed-encoder.ts";
import { T5Encoder } from "./model.ts";

// the first two bytes of an f32 are its bf16, which all numbers below have exactly
const bf16 = (x: number): number => (new Uint32Array(Float32Array.of(x).buffer)[0] ?? 0) >>> 16;

/**
 * A checkpoint that is nowhere: every element of a tensor is one number, but that rows of the table of words hold 1 in their first half
 * and ½ in their second.
 */
function imagined(
  shapes: readonly (readonly [name: string, shape: readonly number[]])[],
  value: (name: string) => number,
): ByteSource {
  let at = 0;
  const placed = shapes.map(([name, shape]) => {
    const begin = at;
    at += 2 * shape.reduce((n, k) => n * k, 1);
    return { name, shape, begin, end: at };
  });
  const header = JSON.stringify(
    Object.fromEntries(
      placed.map(({ name, shape, begin, end }) => [name, { dtype: "BF16", shape, data_offsets: [begin, end] }]),
    ),
  );
  const head = new TextEncoder().encode(header.padEnd(Math.ceil(header.length / 8) * 8));
  const start = 8 + head.length;
  const front = new Uint8Array(start);
  new DataView(front.buffer).setBigUint64(0, BigInt(head.length), true);
  front.set(head, 8);
  return {
    name: "imagined",
    size: start + at,
    read: (offset, length) => {
      if (offset < start) return Promise.resolve(front.slice(offset, offset + length));
      const from = offset - start;
      const owner = placed.find(({ begin, end }) => from >= begin && from < end);
      const values = new Uint16Array(length / 2).fill(bf16(value(owner?.name ?? "")));
      const [, width = 1] = owner?.shape ?? [];
      // one row is asked for at a time
      if (owner?.name === "shared.weight") values.fill(bf16(0.5), width / 2);
      return Promise.resolve(new Uint8Array(values.buffer));
    },
    close: () => Promise.resolve(),
  };
}

test("a layer of umt5-xxl runs at full width, with a vocabulary of 256,384", async () => {
  const config = { ...presets["umt5-xxl"], layers: 1 };
  const { width, ffnDim } = config;
  const shapes = [...new T5Encoder(config).namedParameters()].map(([name, { shape }]) => [name, shape] as const);
  const source = imagined(shapes, (name) => {
    if (name === "shared.weight" || name.includes("norm")) return 1;
    // a mean over the inputs: 1 / 4096; and 1 / 8192 for the 10,240 of the feed-forward network
    return name.endsWith("wo.weight") ? 2 ** -13 : 2 ** -12;
  });
  const encoder = await StreamedT5Encoder.open(source, config);
  const states = await encoder.encode(tensor([[0, 256_383, 7]], { dtype: "i32" }), null);
  expect(states.shape).toEqual([1, 3, width]);
  // all features of a half are alike, so that a layer is arithmetic with two numbers
  const rms = (a: number, b: number): number => Math.sqrt((a * a + b * b) / 2);
  const gelu = (x: number): number => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
  let [a, b] = [1, 0.5];
  const attended = (a + b) / 2 / rms(a, b);
  [a, b] = [a + attended, b + attended];
  const mean = (a + b) / 2 / rms(a, b);
  const fed = (ffnDim / 2 ** 13) * gelu(mean) * mean;
  [a, b] = [a + fed, b + fed];
  const values = await states.data();
  for (const token of [0, 1, 2]) {
    expect(values[token * width]).toBeCloseTo(a / rms(a, b), 4);
    expect(values[(token + 1) * width - 1]).toBeCloseTo(b / rms(a, b), 4);
  }
  await encoder.close();
});
