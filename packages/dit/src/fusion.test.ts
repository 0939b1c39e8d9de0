import { planOf, Rng, type Tensor, tensor } from "@omni/core";
import { describe, expect, test } from "vitest";
import { queriesAndKeys } from "./joint-attention.ts";
import { headNorm, modulatedNorm } from "./modulation.ts";
import { applyRope, type Rope } from "./rope3d.ts";

const leaf = (...shape: number[]): Tensor => tensor(new Float32Array(shape.reduce((n, s) => n * s, 1)), { shape });
const kernels = async (t: Tensor): Promise<readonly string[]> => (await planOf([t])).labels;

describe("one kernel", () => {
  // before it a small one, 1 + scale: [B, frames, 1, D]
  test.each(["rms", "layer"] as const)("makes a modulated norm: %s", async (norm) => {
    const rows = { shift: leaf(2, 3, 1, 32), scale: leaf(2, 3, 1, 32) };
    expect(await kernels(modulatedNorm(leaf(2, 3, 20, 32), rows, norm))).toEqual([
      "add",
      expect.stringMatching(/^rows/),
    ]);
    // with the residual that comes before it
    const sum = leaf(2, 3, 20, 32).add(leaf(2, 3, 20, 32).mul(leaf(2, 3, 1, 32)));
    expect(await kernels(modulatedNorm(sum, rows, norm))).toEqual(["add", expect.stringMatching(/^rows/)]);
  });

  test.each([
    ["head", "halves"],
    ["head", "interleaved"],
    ["row", "interleaved"],
  ] as const)("norms, scales and rotates queries and keys: by %s, %s", async (qkNorm, pairs) => {
    const [tokens, heads, headDim] = [40, 4, 16];
    const split = pairs === "halves" ? [2, 8] : [8, 2];
    const rope: Rope = { pairs, cos: leaf(1, tokens, 1, 1, ...split), sin: leaf(1, tokens, 1, 1, ...split) };
    const qkScale = leaf(2, qkNorm === "head" ? 1 : heads, headDim);
    const stream = { qkScale, config: { qkNorm } };
    const qkv = leaf(1, tokens, 3, heads, headDim);
    const rotated = queriesAndKeys(qkv.slice(2, 0, 2), { text: stream, video: stream }, { textLength: 0, rope });
    expect(await kernels(rotated)).toHaveLength(1);
  });
});

test("a factor after the rotation is the norm before it", async () => {
  const rng = new Rng(1);
  const [tokens, heads, headDim] = [5, 3, 8];
  const angle = rng.normal([1, tokens, 1, 1, 4, 1]).expand([1, tokens, 1, 1, 4, 2]);
  const rope: Rope = { pairs: "interleaved", cos: angle.cos(), sin: angle.sin() };
  const stream = { qkScale: rng.normal([2, 1, headDim]), config: { qkNorm: "head" } } as const;
  const qk = rng.normal([2, tokens, 2, heads, headDim]);
  const got = queriesAndKeys(qk, { text: stream, video: stream }, { textLength: 0, rope });
  const expected = applyRope(headNorm(qk), stream.qkScale.reshape([1, 2, 1, headDim]), rope);
  // a few roundings of numbers of about 1, in another order
  expect(await got.sub(expected).abs().max().item()).toBeLessThan(5e-6);
});
