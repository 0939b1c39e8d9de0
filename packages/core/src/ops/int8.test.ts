import { describe, expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { DTypeError } from "../base/errors.ts";
import { profile } from "../schedule/realize.ts";
import { getDevice } from "../runtime/index.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { Rng } from "../tensor/random.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { dequantizeInt8, int8Linear, quantizeInt8 } from "./int8.ts";
import { linear } from "./linear.ts";

const values = async (t: Tensor | undefined): Promise<number[]> => [...((await t?.data()) ?? [])];
const worst = (a: readonly number[], b: readonly number[]): number =>
  a.length === b.length ? a.reduce((most, v, i) => Math.max(most, Math.abs(v - (b[i] ?? NaN))), 0) : Infinity;
const rms = (xs: readonly number[]): number => Math.sqrt(xs.reduce((sum, x) => sum + x * x, 0) / xs.length);

// sums of at most 301 products of numbers below 4 and 0.1, in f32
const SUMS = 2e-5;

describe("quantizeInt8", () => {
  test("puts signed bytes into words, lowest first, and fills the last with zeros", async () => {
    const { values: words, scale } = quantizeInt8(tensor([[127, -127, 1, -1, 64], [0, 0, 0, 0, 0]])); // prettier-ignore
    expect(words.shape).toEqual([2, 2]);
    expect(await values(words)).toEqual([0xff01817f, 64, 0, 0]);
    expect(await values(scale)).toEqual([1, 0]);
  });

  test("is off by at most half a step, zeros not at all", async () => {
    const weight = await new Rng(1).normal([33, 37]).mul(0.1).realize();
    const q = quantizeInt8(weight);
    const back = await values(dequantizeInt8(q, 37));
    const [scale, exact] = [await values(q.scale), await values(weight)];
    exact.forEach((v, i) =>
      expect(Math.abs(v - (back[i] ?? NaN))).toBeLessThanOrEqual((scale[Math.floor(i / 37)] ?? 0) * 0.5001),
    );
    expect(await values(dequantizeInt8(quantizeInt8(zeros([3, 5])), 5))).toEqual(new Array(15).fill(0));
  });

  test("refuses what is no matrix", () => {
    expect(() => quantizeInt8(zeros([4]))).toThrow(
      "quantizeInt8: weight must be [out, in] of at least one column, got [4]",
    );
  });
});

describe("int8Linear", () => {
  test.each([
    [1, 1, 1],
    [1, 64, 128],
    [1, 33, 301],
    [2, 3, 5],
    [7, 31, 18],
    [40, 36, 64],
    [33, 17, 29],
    [12, 20, 1301],
  ])("%i rows by [%i, %i] equals the product with the dequantised matrix", async (m, n, k) => {
    const rng = new Rng(m + n + k);
    const x = await rng.normal([m, k]).realize();
    const { values: words, scale } = quantizeInt8(rng.normal([n, k]).mul(0.02));
    const bias = await rng.normal([n]).realize();
    await realize([words, scale]);
    const q = { values: words, scale };
    const exact = await values(linear(x, dequantizeInt8(q, k), bias));
    expect(worst(await values(int8Linear(x, q, bias)), exact)).toBeLessThan(SUMS);
    const plain = await values(int8Linear(x, q));
    expect(worst(plain, await values(linear(x, dequantizeInt8(q, k))))).toBeLessThan(SUMS);
  });

  test("costs less than 1 % of the result against f32, for weights drawn from a normal", async () => {
    const rng = new Rng(3);
    const [x, weight] = [await rng.normal([16, 512]).realize(), await rng.normal([48, 512]).mul(0.02).realize()];
    const exact = await values(linear(x, weight));
    const error = (await values(int8Linear(x, quantizeInt8(weight)))).map((v, i) => v - (exact[i] ?? NaN));
    // uniform errors of a step of max |row| / 127, max ≈ 3 σ: 3 / 127 / √12 of the values
    expect(rms(error) / rms(exact)).toBeLessThan(0.01);
    expect(rms(error)).toBeGreaterThan(0);
  });

  test("reads the bytes in the product itself: one dispatch", async () => {
    const rng = new Rng(4);
    const x = await rng.normal([5, 64]).realize();
    const { values: words, scale } = quantizeInt8(rng.normal([24, 64]));
    await realize([words, scale]);
    if (!(await getDevice()).gpu.features.has("timestamp-query")) return;
    const { spans } = await profile(() => int8Linear(x, { values: words, scale }).realize());
    expect(spans.map(({ label }) => label)).toEqual(["matmul"]);
  });

  test("f16 goes in and out, leading axes stay, nothing gives nothing", async () => {
    const rng = new Rng(5);
    const x = await rng.normal([2, 3, 20]).cast("f16").realize();
    const q = quantizeInt8(rng.normal([6, 20]));
    const y = int8Linear(x, q);
    expect([y.shape, y.dtype]).toEqual([[2, 3, 6], "f16"]);
    const exact = await values(linear(x.cast("f32"), dequantizeInt8(q, 20)));
    // half a unit in the last place of an f16 below 32
    expect(worst(await values(y), exact)).toBeLessThan(2 ** -7);
    expect(await values(int8Linear(zeros([0, 20]), q))).toEqual([]);
  });

  test("gradients reach x, scale and bias", async () => {
    const rng = new Rng(6);
    const x = await rng.normal([5, 18]).realize();
    const bias = await rng.normal([7]).realize();
    const { values: words, scale } = quantizeInt8(rng.normal([7, 18]));
    await realize([words, scale]);
    const seed = await rng.normal([5, 7]).realize();
    const composed = linear(x, dequantizeInt8({ values: words, scale }, 18), bias);
    const fused = grad(int8Linear(x, { values: words, scale }, bias), [x, scale, bias], seed);
    const expected = grad(composed, [x, scale, bias], seed);
    for (const [i, g] of fused.entries()) expect(worst(await values(g), await values(expected[i]))).toBeLessThan(1e-5);
  });

  test("says that whole numbers have no gradient, and what does not fit", () => {
    const q = quantizeInt8(zeros([4, 8]));
    const y = int8Linear(zeros([2, 8]), q);
    expect(() => grad(y, [q.values])).toThrow(DTypeError);
    expect(() => grad(y, [q.values])).toThrow(
      /grad: tensors must be f32, f16 or bf16 to have a gradient, got u32 \[4, 2\]/,
    );
    expect(() => int8Linear(zeros([2, 9]), q)).toThrow("int8Linear: values must have shape [4, 3], got [4, 2]");
    expect(() => int8Linear(zeros([2, 8], "i32"), q)).toThrow("int8Linear: x must be f32, f16 or bf16, got i32");
    expect(() => int8Linear(zeros([2, 8]), q, zeros([5]))).toThrow("int8Linear: bias must have shape [4], got [5]");
    expect(() => int8Linear(zeros([2, 8]), { ...q, values: zeros([4, 2]) })).toThrow(DTypeError);
  });
});
