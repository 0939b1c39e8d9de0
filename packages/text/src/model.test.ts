import { grad, realize, Rng, tensor } from "@omni/core";
import { describe, expect, test } from "vitest";
import { presets } from "./config.ts";
import type { TextConfig } from "./config.ts";
import { T5Encoder } from "./model.ts";

const tiny = {
  ...presets.nano,
  vocabSize: 20,
  width: 8,
  heads: 2,
  headDim: 3,
  ffnDim: 12,
  buckets: 8,
  maxDistance: 8,
} as const satisfies TextConfig;
const ids = tensor(
  [
    [5, 6, 7, 1, 0],
    [9, 1, 0, 0, 0],
  ],
  { dtype: "i32" },
);
const mask = tensor([
  [1, 1, 1, 1, 0],
  [1, 1, 0, 0, 0],
]);

describe("T5Encoder", () => {
  test("gives a state for each token", () => {
    expect(new T5Encoder(tiny).forward(ids, mask).shape).toEqual([2, 5, 8]);
  });

  test("padding does not touch the tokens before it", async () => {
    const encoder = await new T5Encoder(tiny).realize();
    const alone = encoder.forward(tensor([[9, 1]], { dtype: "i32" }), null);
    const padded = encoder.forward(ids, mask).slice(0, 1, 2).slice(1, 0, 2);
    expect(await alone.sub(padded).abs().max().item()).toBeLessThan(1e-5);
  });

  test("word order matters", async () => {
    const encoder = await new T5Encoder(tiny).realize();
    const run = (...words: number[]) => encoder.forward(tensor([words], { dtype: "i32" }), null).slice(1, 2, 3);
    expect(
      await run(5, 6, 1)
        .sub(run(6, 5, 1))
        .abs()
        .max()
        .item(),
    ).toBeGreaterThan(1e-3);
  });

  test.each(["shared", "per-layer"] as const)(
    "%s relative positions: one table, or one a layer",
    (relativePositions) => {
      const names = Object.keys(new T5Encoder({ ...tiny, relativePositions }).parameters());
      expect(names.filter((name) => name.includes("relative_attention_bias"))).toHaveLength(
        relativePositions === "shared" ? 1 : 2,
      );
    },
  );

  test("gradients reach every parameter", async () => {
    const encoder = await new T5Encoder(tiny).realize();
    const parameters = encoder.parameters();
    const target = new Rng(3).normal([2, 5, 8]);
    const norms = grad(encoder.forward(ids, mask).mul(target).sum(), Object.values(parameters)).map((g) =>
      g.abs().max(),
    );
    await realize(norms);
    const silent: string[] = [];
    for (const [i, name] of Object.keys(parameters).entries()) if (!((await norms[i]?.item()) ?? 0)) silent.push(name);
    expect(silent).toEqual([]);
  });

  test("rejects a mask of another shape", () => {
    expect(() => new T5Encoder(tiny).forward(ids, tensor([[1]]))).toThrow(
      "T5Encoder: mask must have shape [2, 5], got [1, 1]",
    );
  });
});

describe("presets", () => {
  test("nano has 0.35 M parameters", () => {
    expect(new T5Encoder(presets.nano).numParameters()).toBeLessThan(0.4e6);
  });

  test("umt5-xxl has the parameters of its checkpoint", () => {
    // 256,384 × 4,096 embeddings; 24 blocks of 4 × 4,096² + 3 × 4,096 × 10,240 + 2 × 4,096 + 32 × 64; one last norm
    const block = 4 * 4096 ** 2 + 3 * 4096 * 10_240 + 2 * 4096 + 32 * 64;
    expect(new T5Encoder(presets["umt5-xxl"]).numParameters()).toBe(256_384 * 4096 + 24 * block + 4096);
  });
});
