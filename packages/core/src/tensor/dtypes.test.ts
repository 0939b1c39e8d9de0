import { describe, expect, test } from "vitest";
import { DTYPES, promote, type DType } from "../base/dtype.ts";
import { DTypeError } from "../base/errors.ts";
import { nearest, packed, unpacked } from "../base/packed.ts";
import { grad } from "../autograd/grad.ts";
import { attention } from "../ops/attention.ts";
import { conv2d } from "../ops/conv.ts";
import { embedding } from "../ops/embedding.ts";
import { softmax } from "../ops/softmax.ts";
import { tensor } from "./create.ts";
import { concat } from "./join.ts";
import { full, realize, where, type Tensor } from "./tensor.ts";
import { Rng } from "./random.ts";

type Half = "f16" | "bf16";
const HALVES: readonly Half[] = ["f16", "bf16"];

/** Numbers of every size, signs, ties, limits and what lies below the smallest normal number. */
const HARD = [
  0, -0, 1, -1, 1.0009765625, 1.00048828125, 1.001, 65504, 65519, 65520, -70000, 1e-5, 5.9604645e-8, 2.98e-8, 2.99e-8, 6.1e-5,
  6.097555e-5, 1e-8, 3.4e38, -3.4e38, Infinity, -Infinity, NaN, Math.PI, -1234.567, 0.1,
]; // prettier-ignore
const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];
const rounded = (xs: readonly number[], dtype: DType): number[] => xs.map((x) => nearest(Math.fround(x), dtype));

describe("packed types", () => {
  test.each(HALVES)("%s: host and device round alike, and every pattern survives", async (dtype) => {
    const cast = tensor(HARD).cast(dtype);
    expect(cast.dtype).toBe(dtype);
    await cast.realize();
    expect(await values(cast)).toEqual(rounded(HARD, dtype));
    expect(await values(tensor(HARD, { dtype }))).toEqual(rounded(HARD, dtype));

    // all 2^16, but for the payloads of NaN
    const all = unpacked(Uint16Array.from({ length: 2 ** 16 }, (_, i) => i).buffer, 2 ** 16, dtype);
    const stored = await tensor(all as Float32Array<ArrayBuffer>, { dtype }).realize();
    const back = await stored.cast("f32").add(0).data();
    // an adapter may flush what f32 itself calls subnormal; no f16 is
    const flushed = (x: number): number => (Math.abs(x) < 2 ** -126 ? 0 : x);
    expect(Array.from(back, flushed)).toEqual(Array.from(all, flushed));
    const copied = await (await stored.slice(0, 1).realize()).data();
    expect(copied).toEqual(all.slice(1));
  });

  test.each(DTYPES)("%s: values, casts and views of any length", async (dtype) => {
    for (const n of [0, 1, 2, 3, 4, 5, 7, 8, 33]) {
      const xs = Array.from({ length: n }, (_, i) => (dtype === "bool" ? i % 2 : i));
      const x = tensor(xs.length > 0 ? xs : [], { dtype, shape: [n] });
      const stored = await x.cast("f32").cast(dtype).realize();
      expect(stored.dtype).toBe(dtype);
      expect(await values(stored)).toEqual(xs);
      if (n > 1) expect(await values(stored.slice(0, 1))).toEqual(xs.slice(1));
      if (n > 0) expect(await values(stored.flip(0).cast("f32"))).toEqual([...xs].reverse());
    }
  });

  test.each([...HALVES, "u8" as const])("%s: views of stored tensors read the right elements", async (dtype) => {
    const xs = Array.from({ length: 6 * 5 * 4 }, (_, i) => i);
    const x = await tensor(xs, { dtype, shape: [6, 5, 4] }).realize();
    const wide = tensor(xs, { shape: [6, 5, 4] });
    const views: ((t: Tensor) => Tensor)[] = [
      (t) => t.permute([2, 0, 1]),
      (t) => t.slice(1, 1, 4).slice(2, 1),
      (t) => t.slice(0, 2, 3).expand([3, 5, 4]),
      (t) => t.pad([[1, 0], [0, 2], [3, 1]], 7), // prettier-ignore
      (t) => t.reshape([4, 30]).transpose(0, 1),
      (t) => concat([t.slice(0, 1), t.slice(0, 0, 1)], { axis: 0 }),
      (t) => t.slice(0, 0, 6, 2),
    ];
    for (const view of views) {
      const [got, expected] = [await view(x).realize(), view(wide)];
      expect(got.shape).toEqual(expected.shape);
      expect(got.dtype).toBe(dtype);
      expect(await values(got)).toEqual(await values(expected));
    }
  });

  test.each(HALVES)("%s: a chain of ops is rounded once, an explicit cast at once", async (dtype) => {
    const x = tensor([1, 3, 5, 7, 11], { dtype });
    const chain = x.div(3).mul(3);
    expect(chain.dtype).toBe(dtype);
    expect(await values(chain)).toEqual(rounded([1, 3, 5, 7, 11], dtype));
    const third = rounded([1 / 3], dtype)[0] ?? NaN;
    expect(await values(tensor([1]).div(3).cast(dtype).cast("f32").mul(3))).toEqual([Math.fround(third * 3)]);
    const stored = await x.div(3).realize();
    expect(await values(stored.mul(3).cast("f32"))).toEqual((await values(stored)).map((v) => Math.fround(v * 3)));
  });

  test("f16 sums in f32", async () => {
    const x = await full([4096], 1, "f16")
      .add(tensor([0], { dtype: "f16" }))
      .realize();
    // in f16, 2048 + 1 is 2048
    expect(await x.sum().item()).toBe(4096);
    expect(await x.mean().item()).toBe(1);
    expect(x.sum().dtype).toBe("f16");
  });

  test.each(HALVES)("%s: matmul, convolution, softmax, embedding agree with f32 on rounded inputs", async (dtype) => {
    const rng = new Rng(1);
    const a = await rng.normal([5, 7]).cast(dtype).realize();
    const b = await rng.normal([7, 3]).cast(dtype).realize();
    const image = await rng.normal([1, 2, 5, 5]).cast(dtype).realize();
    const kernel = await rng.normal([3, 2, 3, 3]).cast(dtype).realize();
    const ids = tensor([4, 0, 2], { dtype: "i32" });
    const cases: [Tensor, Tensor][] = [
      [a.matmul(b), a.cast("f32").matmul(b.cast("f32"))],
      [conv2d(image, kernel), conv2d(image.cast("f32"), kernel.cast("f32"))],
      [softmax(a), softmax(a.cast("f32"))],
      [attention(a, a, a), attention(a.cast("f32"), a.cast("f32"), a.cast("f32"))],
      [embedding(a, ids), embedding(a.cast("f32"), ids)],
    ];
    for (const [got, expected] of cases) {
      expect(got.dtype).toBe(dtype);
      expect(await values(got)).toEqual(rounded(await values(expected), dtype));
    }
  });

  test.each(HALVES)("%s: gradients have the type of what they are of", async (dtype) => {
    const x = await tensor([0.5, -2, 3], { dtype }).realize();
    const w = await tensor([1.5, 2, -1], { dtype: "f32" }).realize();
    const y = x.mul(w).square().sum();
    expect(y.dtype).toBe("f32");
    const [dx, dw] = grad(y, [x, w]);
    expect([dx?.dtype, dw?.dtype]).toEqual([dtype, "f32"]);
    expect(await values(dx as Tensor)).toEqual([0.5 * 2 * 1.5 ** 2, -2 * 2 * 4, 6]);
    expect(await values(dw as Tensor)).toEqual([2 * 1.5 * 0.25, 2 * 2 * 4, -2 * 9]);
    // master weights in f32, used as halves
    const half = w.cast(dtype);
    const [direct] = grad(half.square().sum(), [w]);
    const [between] = grad(half.square().sum(), [half]);
    expect(await values(direct as Tensor)).toEqual([3, 4, -2]);
    expect(between?.dtype).toBe(dtype);
    expect(await values(between as Tensor)).toEqual([3, 4, -2]);
  });

  test("u8 wraps, sums in u32, and meets others in theirs", async () => {
    const x = await tensor(new Uint8Array([250, 3, 100, 7, 255])).realize();
    expect(x.dtype).toBe("u8");
    expect(await x.data()).toEqual(new Uint8Array([250, 3, 100, 7, 255]));
    expect(await values(x.add(x))).toEqual([244, 6, 200, 14, 254]);
    expect(await values(x.mul(2).add(1).cast("f32"))).toEqual([245, 7, 201, 15, 255]);
    expect(x.sum().dtype).toBe("u32");
    expect(await x.sum().item()).toBe(615);
    expect(x.max().dtype).toBe("u8");
    expect(await x.max().item()).toBe(255);
    expect(await values(x.cast("f32").div(255).mul(255).round().cast("u8"))).toEqual([250, 3, 100, 7, 255]);
    expect(await values(tensor([-1, 256, 300], { dtype: "i32" }).cast("u8"))).toEqual([255, 0, 44]);
    expect(() => x.add(300)).toThrow(DTypeError);
    expect(() => x.exp()).toThrow("exp: input must be f32, got u8");
  });

  test("assign writes packed tensors in place", async () => {
    const x = await tensor([1, 2, 3], { dtype: "f16" }).realize();
    await realize([x.assign(x.mul(2))]);
    expect(await values(x)).toEqual([2, 4, 6]);
  });

  test("a host array of the wrong type is refused", () => {
    expect(() => tensor(new Uint8Array([1]), { dtype: "f16" })).toThrow("must come in a f32 typed array, got a u8 one");
    expect(() => tensor(new Float32Array([1]), { dtype: "u8" })).toThrow("must come in their own typed array");
  });
});

describe("promotion", () => {
  const meets: [DType, DType, DType][] = [
    ["bool", "u8", "u8"],
    ["bool", "f16", "f16"],
    ["u8", "i32", "i32"],
    ["u8", "u32", "u32"],
    ["i32", "f16", "f16"],
    ["u32", "f32", "f32"],
    ["f16", "f32", "f32"],
    ["bf16", "f32", "f32"],
    ["f16", "bf16", "f32"],
  ];
  test.each(meets)("%s and %s meet in %s", async (a, b, expected) => {
    expect([promote("op", a, b), promote("op", b, a)]).toEqual([expected, expected]);
    const [x, y] = [tensor([1, 0], { dtype: a }), tensor([1, 1], { dtype: b })];
    expect(x.maximum(y).dtype).toBe(expected);
    expect(await values(x.maximum(y))).toEqual([1, 1]);
    expect(where(tensor([1, 0], { dtype: "bool" }), x, y).dtype).toBe(expected);
  });

  test("numbers take the tensor's type; i32 and u32 do not meet", () => {
    expect(tensor([1], { dtype: "f16" }).add(0.5).dtype).toBe("f16");
    expect(() => tensor([1], { dtype: "i32" }).add(tensor([1], { dtype: "u32" }))).toThrow(DTypeError);
  });
});

test("packing keeps what it is given", () => {
  expect(packed(new Uint8Array([1, 2, 3, 4, 5]), "u8")).toEqual(new Uint8Array([1, 2, 3, 4, 5, 0, 0, 0]));
  expect(packed(Float32Array.of(1, -2, 0.5), "f16")).toEqual(new Uint8Array([0, 0x3c, 0, 0xc0, 0, 0x38, 0, 0]));
  expect(packed(Float32Array.of(1), "bf16")).toEqual(new Uint8Array([0x80, 0x3f, 0, 0]));
});
