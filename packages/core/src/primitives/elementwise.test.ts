import { describe, expect, test } from "vitest";
import type { DType, TypedArray } from "../base/dtype.ts";
import { DTypeError } from "../base/errors.ts";
import { grad } from "../autograd/grad.ts";
import { tensor } from "../tensor/create.ts";
import { realize, where, type Tensor } from "../tensor/tensor.ts";
import { EXACT, expectClose, ROUNDING, type Tolerance } from "../testing/allclose.ts";
import { numericGradient } from "../testing/gradcheck.ts";
import { sample, type Nd } from "../testing/nd.ts";
import { erf, zip } from "../testing/reference.ts";
import type { ElementwiseName } from "./elementwise.ts";

// WGSL, "Accuracy of built-in functions": exp to 3 + 2|x| units in the last place, log to 2⁻²¹, others through them.
const TRANSCENDENTAL: Tolerance = { absolute: 4e-6, relative: 4e-6 };
// Published error of the polynomials, below 1e-7, and roundings.
const CIRCULAR: Tolerance = { absolute: 5e-7, relative: 0 };
// Published error of the rational approximation, 4e-7, and roundings.
const ERF: Tolerance = { absolute: 2e-6, relative: 0 };

interface Rule {
  readonly op: (...inputs: Tensor[]) => Tensor;
  readonly value: (...values: number[]) => number;
  readonly range: readonly [number, number];
  readonly tolerance: Tolerance;
}

/** The arity is that of `value`. */
const rule = (
  op: Rule["op"],
  value: Rule["value"],
  tolerance: Tolerance = ROUNDING,
  range: Rule["range"] = [-3, 3],
): Rule => ({ op, value, range, tolerance });

const halfToEven = (x: number): number => {
  const low = Math.floor(x);
  return x - low === 0.5 ? low + (low & 1) : Math.round(x);
};
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** The slopes of asin and acos grow towards ±1, and so do their errors. */
const ARC: Tolerance = { absolute: 2 ** -11, relative: 0 };
const floorMod = (a: number, b: number): number => a - b * Math.floor(a / b);

type OfWholeNumbers = "bitNot" | "bitAnd" | "bitOr" | "bitXor" | "shiftLeft" | "shiftRight";
type TestedBelow =
  "not" | "and" | "or" | "where" | "cast" | "toF16" | "toBf16" | "toU8" | "isNan" | "isInf" | "isFinite";

/** Every row of the table with its definition; a row without one does not compile. */
const float: Record<Exclude<ElementwiseName, TestedBelow | OfWholeNumbers>, Rule> = {
  neg: rule(
    (a) => a.neg(),
    (a) => -a,
    EXACT,
  ),
  abs: rule((a) => a.abs(), Math.abs, EXACT),
  exp: rule((a) => a.exp(), Math.exp, TRANSCENDENTAL),
  log: rule((a) => a.log(), Math.log, TRANSCENDENTAL, [0.2, 5]),
  exp2: rule(
    (a) => a.exp2(),
    (a) => 2 ** a,
    TRANSCENDENTAL,
  ),
  // both sides of where the polynomial hands over
  expm1: rule((a) => a.expm1(), Math.expm1, TRANSCENDENTAL, [-1, 1]),
  log2: rule((a) => a.log2(), Math.log2, TRANSCENDENTAL, [0.2, 5]),
  log1p: rule((a) => a.log1p(), Math.log1p, TRANSCENDENTAL, [-0.8, 1]),
  tan: rule((a) => a.tan(), Math.tan, ARC, [-1, 1]),
  asin: rule((a) => a.asin(), Math.asin, ARC, [-0.8, 0.8]),
  acos: rule((a) => a.acos(), Math.acos, ARC, [-0.8, 0.8]),
  atan: rule((a) => a.atan(), Math.atan, ARC),
  sin: rule((a) => a.sin(), Math.sin, CIRCULAR),
  cos: rule((a) => a.cos(), Math.cos, CIRCULAR),
  sqrt: rule((a) => a.sqrt(), Math.sqrt, TRANSCENDENTAL, [0.2, 5]),
  rsqrt: rule(
    (a) => a.rsqrt(),
    (a) => 1 / Math.sqrt(a),
    TRANSCENDENTAL,
    [0.2, 5],
  ),
  square: rule(
    (a) => a.square(),
    (a) => a * a,
  ),
  reciprocal: rule(
    (a) => a.reciprocal(),
    (a) => 1 / a,
    ROUNDING,
    [0.2, 5],
  ),
  tanh: rule((a) => a.tanh(), Math.tanh, TRANSCENDENTAL),
  sigmoid: rule((a) => a.sigmoid(), sigmoid, TRANSCENDENTAL),
  relu: rule(
    (a) => a.relu(),
    (a) => Math.max(a, 0),
    EXACT,
  ),
  silu: rule(
    (a) => a.silu(),
    (a) => a * sigmoid(a),
    TRANSCENDENTAL,
  ),
  gelu: rule(
    (a) => a.gelu(),
    (a) => 0.5 * a * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (a + 0.044715 * a ** 3))),
    TRANSCENDENTAL,
  ),
  erf: rule((a) => a.erf(), erf, ERF),
  // the inverse has no closed form: erf gives it back, and its slope there
  erfinv: rule(
    (a) => a.erfinv().erf(),
    (a) => a,
    ERF,
    [-0.95, 0.95],
  ),
  sign: rule((a) => a.sign(), Math.sign, EXACT),
  floor: rule((a) => a.floor(), Math.floor, EXACT),
  ceil: rule((a) => a.ceil(), Math.ceil, EXACT),
  round: rule((a) => a.round(), halfToEven, EXACT),
  trunc: rule((a) => a.trunc(), Math.trunc, EXACT),
  atan2: rule((a, b) => a.atan2(b), Math.atan2, ARC, [0.5, 2]),
  floorDivide: rule(
    (a, b) => a.sub(2.1).floorDivide(b),
    (a, b) => Math.floor((a - 2.1) / b),
    EXACT,
    [0.5, 4],
  ),
  truncDivide: rule(
    (a, b) => a.sub(2.1).truncDivide(b),
    (a, b) => Math.trunc((a - 2.1) / b),
    EXACT,
    [0.5, 4],
  ),
  remainder: rule(
    (a, b) => a.sub(2.1).remainder(b),
    (a, b) => floorMod(a - 2.1, b),
    TRANSCENDENTAL,
    [0.5, 4],
  ),
  fmod: rule(
    (a, b) => a.sub(2.1).fmod(b),
    (a, b) => (a - 2.1) % b,
    TRANSCENDENTAL,
    [0.5, 4],
  ),
  add: rule(
    (a, b) => a.add(b),
    (a, b) => a + b,
  ),
  sub: rule(
    (a, b) => a.sub(b),
    (a, b) => a - b,
  ),
  mul: rule(
    (a, b) => a.mul(b),
    (a, b) => a * b,
  ),
  div: rule(
    (a, b) => a.div(b),
    (a, b) => a / b,
    ROUNDING,
    [0.2, 5],
  ),
  pow: rule((a, b) => a.pow(b), Math.pow, TRANSCENDENTAL, [0.3, 2]),
  maximum: rule((a, b) => a.maximum(b), Math.max, EXACT),
  minimum: rule((a, b) => a.minimum(b), Math.min, EXACT),
  eq: rule(
    (a, b) => a.round().eq(b.round()),
    (a, b) => Number(halfToEven(a) === halfToEven(b)),
    EXACT,
  ),
  ne: rule(
    (a, b) => a.round().ne(b.round()),
    (a, b) => Number(halfToEven(a) !== halfToEven(b)),
    EXACT,
  ),
  lt: rule(
    (a, b) => a.lt(b),
    (a, b) => Number(a < b),
    EXACT,
  ),
  le: rule(
    (a, b) => a.round().le(b.round()),
    (a, b) => Number(halfToEven(a) <= halfToEven(b)),
    EXACT,
  ),
  gt: rule(
    (a, b) => a.gt(b),
    (a, b) => Number(a > b),
    EXACT,
  ),
  ge: rule(
    (a, b) => a.round().ge(b.round()),
    (a, b) => Number(halfToEven(a) >= halfToEven(b)),
    EXACT,
  ),
};

const leaf = ({ shape, data }: Nd): Tensor => tensor(Float32Array.from(data), { shape });
const inputsOf = ({ value, range }: Rule, shape: readonly number[]): Nd[] =>
  Array.from({ length: value.length }, (_, i) => sample(shape, i + 1, ...range));

describe("elementwise ops of floats", () => {
  // 35 elements run one by one, 32 as vectors of four
  test.each(Object.entries(float))("%s has its value and gradient", async (_, given) => {
    const { op, value } = given;
    const narrow = inputsOf(given, [5, 7]);
    const wide = inputsOf(given, [4, 8]);
    const leaves = wide.map(leaf);
    const y = op(...leaves);
    const one = op(...narrow.map(leaf));
    const weights = sample([4, 8], 9);
    const gradients = y.dtype === "f32" ? grad(y, leaves, leaf(weights)) : [];
    await realize([y, one, ...gradients]);
    await expectClose(one, zip(value, ...narrow), given.tolerance, "35 elements");
    await expectClose(y, zip(value, ...wide), given.tolerance, "32 elements");
    // differences are good to 1e-10 but for kinks, of which no sample is that near
    const tolerance = { absolute: 10 * given.tolerance.absolute + 1e-6, relative: 1e-5 };
    for (const [i, gradient] of gradients.entries())
      await expectClose(
        gradient,
        numericGradient((x) => zip(value, ...x), wide, i, weights),
        tolerance,
        `gradient ${i}`,
      );
  });

  test("saturate without NaN far outside of their working range", async () => {
    const FAR = [-1e30, -1e4, -100, 100, 1e4, 1e30];
    const x = tensor(FAR);
    const cases: [Tensor, number[]][] = [
      [x.tanh(), [-1, -1, -1, 1, 1, 1]],
      [x.sigmoid(), [0, 0, 0, 1, 1, 1]],
      [x.erf(), [-1, -1, -1, 1, 1, 1]],
      [x.silu(), [0, 0, 0, 100, 1e4, 1e30]],
      [x.gelu(), [0, 0, 0, 100, 1e4, 1e30]],
      [x.geluExact(), [0, 0, 0, 100, 1e4, 1e30]],
    ];
    await realize(cases.map(([y]) => y));
    // 1 + erf(-x) and 1 + tanh(-x) keep a rounding of 1, which the input multiplies
    for (const [y, expected] of cases) {
      const values = await y.data();
      expected.forEach((e, i) =>
        expect(Math.abs((values[i] ?? NaN) - e)).toBeLessThanOrEqual(1e-6 * Math.abs(FAR[i] ?? 0)),
      );
    }
  });

  test("gelu is x·Φ(x): in its tanh form to 5e-4, in its exact form to rounding", async () => {
    const x = sample([64], 3, -4, 4);
    const exact = zip((v) => 0.5 * v * (1 + erf(v / Math.SQRT2)), x);
    const form = zip((v) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))), x);
    const t = leaf(x);
    await expectClose(t.gelu(), form, { absolute: 1e-5, relative: 1e-5 });
    await expectClose(t.gelu(), exact, { absolute: 5e-4, relative: 0 });
    await expectClose(t.geluExact(), exact, { absolute: 1e-5, relative: 0 });
  });

  test("pow by whole numbers takes any base, and its gradient", async () => {
    const x = sample([32], 5, -2, 2);
    for (const n of [-3, -1, 0, 1, 2, 5, 16]) {
      const t = leaf(x);
      const y = t.pow(n);
      const [dx] = grad(y, [t]);
      const tolerance = { absolute: 1e-4, relative: 1e-4 };
      await expectClose(
        y,
        zip((v) => v ** n, x),
        { absolute: 1e-6, relative: 1e-5 },
        `x^${n}`,
      );
      if (dx)
        await expectClose(
          dx,
          zip((v) => (n === 0 ? 0 : n * v ** (n - 1)), x),
          tolerance,
          `gradient of x^${n}`,
        );
    }
  });
});

describe("functions made for the numbers that others lose", () => {
  test("sin and cos take large angles", async () => {
    const x = Float32Array.of(-7, 20, 355, 1000.5, -12345, 65536);
    const [s, c] = [tensor(x).sin(), tensor(x).cos()];
    await realize([s, c]);
    (await s.data()).forEach((v, i) => expect(Math.abs(v - Math.sin(x[i] ?? 0))).toBeLessThan(1e-6));
    (await c.data()).forEach((v, i) => expect(Math.abs(v - Math.cos(x[i] ?? 0))).toBeLessThan(1e-6));
  });

  test("expm1 and log1p keep all digits near 0", async () => {
    const x = [1e-8, -1e-7, 3e-5, -0.01, 0.3, -0.49];
    const [grown, shrunk] = [tensor(x).expm1(), tensor(x).log1p()];
    await realize([grown, shrunk]);
    const close = async (y: Tensor, f: (x: number) => number): Promise<void> =>
      (await y.data()).forEach((v, i) => {
        const expected = f(Math.fround(x[i] ?? 0));
        expect(Math.abs(v - expected)).toBeLessThanOrEqual(5e-7 * Math.abs(expected));
      });
    await close(grown, Math.expm1);
    await close(shrunk, Math.log1p);
  });

  test("pow by a tensor takes negative bases to whole exponents, and 0⁰ is 1", async () => {
    const a = tensor([-2, -2, -2, 0, 0, 3]);
    const b = tensor([3, 2, 0.5, 0, 2, -1]);
    const y = a.pow(b);
    const [da, db] = grad(y, [a, b]);
    const got = [...(await y.data())];
    [-8, 4, NaN, 1, 0, 1 / 3].forEach((v, i) =>
      Number.isNaN(v) ? expect(got[i]).toBeNaN() : expect(got[i]).toBeCloseTo(v, 5),
    );
    const slope = [...((await da?.data()) ?? [])];
    [12, -4, NaN, 0, 0, -1 / 9].forEach((v, i) =>
      Number.isNaN(v) ? expect(slope[i]).toBeNaN() : expect(slope[i]).toBeCloseTo(v, 4),
    );
    expect([...((await db?.data()) ?? [])].slice(3, 5)).toEqual([0, 0]);
  });

  test("isNan, isInf and isFinite look at the bits", async () => {
    const x = tensor([NaN, Infinity, -Infinity, 0, -1e-40, 3e38]);
    expect([...(await x.isNan().data())]).toEqual([1, 0, 0, 0, 0, 0]);
    expect([...(await x.isInf().data())]).toEqual([0, 1, 1, 0, 0, 0]);
    expect([...(await x.isFinite().data())]).toEqual([0, 0, 0, 1, 1, 1]);
  });

  // IEEE 754 binary16: 11 significant bits, 65504 the largest, 2^-24 the smallest; bfloat16: 8 significant bits
  test("roundTo gives the nearest half, ties to even", async () => {
    const x = tensor([1 + 2 ** -11, 1 + 3 * 2 ** -11, 65519, 65520, 2 ** -25, 3 * 2 ** -25, -0.1, NaN]);
    const f16 = [...(await x.roundTo("f16").data())];
    expect(f16.slice(0, 7)).toEqual([1, 1 + 2 ** -9, 65504, Infinity, 0, 2 ** -23, -0.0999755859375]);
    expect(f16[7]).toBeNaN();
    const y = tensor([1 + 2 ** -8, 1 + 3 * 2 ** -8, 3.4028234663852886e38, -0.1, NaN, -Infinity]);
    const bf16 = [...(await y.roundTo("bf16").data())];
    expect(bf16.slice(0, 4)).toEqual([1, 1 + 2 ** -6, Infinity, -0.10009765625]);
    expect([bf16[4], bf16[5]]).toEqual([NaN, -Infinity]);
    const [dx] = grad(x.roundTo("f16"), [x]);
    expect([...((await dx?.data()) ?? [])]).toEqual(new Array(8).fill(1));
  });

  test("maximum shares the gradient of equal operands; clamp passes it at its ends", async () => {
    const [a, b] = [tensor([1, 2, 3]), tensor([2, 2, 2])];
    const [da, db] = grad(a.maximum(b), [a, b]);
    const [dc] = grad(a.clamp(1, 2), [a]);
    const rows = await Promise.all([da, db, dc].map(async (t) => [...((await t?.data()) ?? [])]));
    expect(rows).toEqual([
      [0, 0.5, 1],
      [1, 0.5, 0],
      [1, 1, 0],
    ]);
    expect([...(await a.clamp(null, 2).data())]).toEqual([1, 2, 2]);
    expect([...(await tensor([NaN]).clamp(0, 1).data())]).toEqual([NaN]);
  });
});

describe("elementwise ops of whole numbers and bools", () => {
  const A = [5, 3, 7, 2, 9, 4, 8];
  const B = [2, 3, 5, 7, 4, 4, 3];
  const asDType = (values: readonly number[], dtype: DType): Tensor => tensor([...values], { dtype });
  const both: Record<string, [(a: Tensor, b: Tensor) => Tensor, (a: number, b: number) => number]> = {
    add: [(a, b) => a.add(b), (a, b) => a + b],
    mul: [(a, b) => a.mul(b), (a, b) => a * b],
    div: [(a, b) => a.div(b), (a, b) => Math.trunc(a / b)],
    maximum: [(a, b) => a.maximum(b), Math.max],
    minimum: [(a, b) => a.minimum(b), Math.min],
    square: [(a) => a.square(), (a) => a * a],
    abs: [(a) => a.abs(), Math.abs],
    eq: [(a, b) => a.eq(b), (a, b) => Number(a === b)],
    lt: [(a, b) => a.lt(b), (a, b) => Number(a < b)],
    ge: [(a, b) => a.ge(b), (a, b) => Number(a >= b)],
    floorDivide: [(a, b) => a.floorDivide(b), (a, b) => Math.floor(a / b)],
    truncDivide: [(a, b) => a.truncDivide(b), (a, b) => Math.trunc(a / b)],
    remainder: [(a, b) => a.remainder(b), (a, b) => a % b],
    bitAnd: [(a, b) => a.bitAnd(b), (a, b) => a & b],
    bitOr: [(a, b) => a.bitOr(b), (a, b) => a | b],
    bitXor: [(a, b) => a.bitXor(b), (a, b) => a ^ b],
    shiftLeft: [(a, b) => a.shiftLeft(b), (a, b) => a << b],
    shiftRight: [(a, b) => a.shiftRight(b), (a, b) => a >> b],
    "add a number": [(a) => a.add(3), (a) => a + 3],
    where: [(a, b) => where(a.gt(b), a, b), Math.max],
    cast: [(a) => a.cast("f32").mul(0.5), (a) => a / 2],
  };
  const signed: typeof both = {
    ...both,
    neg: [(a) => a.neg(), (a) => -a],
    sub: [(a, b) => a.sub(b), (a, b) => a - b],
    sign: [(a, b) => a.sub(b).sign(), (a, b) => Math.sign(a - b)],
    "div of negatives": [(a, b) => a.neg().div(b), (a, b) => Math.trunc(-a / b)],
    "pow 3": [(a) => a.neg().pow(3), (a) => -(a ** 3)],
    "floorDivide of negatives": [(a, b) => a.neg().floorDivide(b), (a, b) => Math.floor(-a / b)],
    "remainder of negatives": [(a, b) => a.neg().remainder(b), (a, b) => floorMod(-a, b)],
    "fmod of negatives": [(a, b) => a.neg().fmod(b), (a, b) => -a % b],
    "shiftRight of negatives": [(a) => a.neg().shiftRight(1), (a) => -a >> 1],
    bitNot: [(a) => a.bitNot(), (a) => ~a],
  };

  test.each([
    ["i32", signed],
    ["u32", both],
  ] as const)("%s keeps its dtype and whole values", async (dtype, cases) => {
    const [a, b] = [asDType(A, dtype), asDType(B, dtype)];
    const results = Object.entries(cases).map(([name, [op, value]]) => ({
      name,
      y: op(a, b),
      expected: A.map((x, i) => value(x, B[i] ?? 0)),
    }));
    await realize(results.map((r) => r.y));
    for (const { name, y, expected } of results) {
      expect([...(await y.data())], name).toEqual(expected.map((v) => v + 0));
      expect(y.dtype, name).toBe(["eq", "lt", "ge"].includes(name) ? "bool" : name === "cast" ? "f32" : dtype);
    }
  });

  test("bool has and, or, not, eq, ne and where; other dtypes count as not zero", async () => {
    const [p, q] = [asDType([1, 1, 0, 0], "bool"), asDType([1, 0, 1, 0], "bool")];
    const results: [Tensor, number[]][] = [
      [p.and(q), [1, 0, 0, 0]],
      [p.or(q), [1, 1, 1, 0]],
      [p.xor(q), [0, 1, 1, 0]],
      [p.not(), [0, 0, 1, 1]],
      [p.eq(q), [1, 0, 0, 1]],
      [p.ne(q), [0, 1, 1, 0]],
      [p.eq(1), [1, 1, 0, 0]],
      [where(p, q, q.not()), [1, 0, 0, 1]],
      [tensor([0, -0.5, 2, 0]).and(tensor([1, 1, 0, 0], { dtype: "i32" })), [0, 1, 0, 0]],
      [p.cast("f32").add(q.cast("f32")), [2, 1, 1, 0]],
    ];
    await realize(results.map(([y]) => y));
    for (const [y, expected] of results) expect([...(await y.data())]).toEqual(expected);
  });

  test("casts truncate towards zero and keep whole numbers", async () => {
    const x = tensor([-2.7, -0.5, 0.5, 2.7, 3e9]);
    expect([...(await x.cast("i32").data())].slice(0, 4)).toEqual([-2, 0, 0, 2]);
    expect([...(await x.relu().cast("u32").data())]).toEqual([0, 0, 0, 2, 3e9]);
    expect([...(await x.cast("bool").data())]).toEqual([1, 1, 1, 1, 1]);
    expect(x.cast("f32")).toBe(x);
    const bits: TypedArray = await tensor([1, 0], { dtype: "bool" }).cast("i32").data();
    expect(bits).toEqual(Int32Array.of(1, 0));
  });

  test("constants reach the ends of each dtype", async () => {
    const i = tensor([0], { dtype: "i32" });
    expect(await i.add(-(2 ** 31)).item()).toBe(-(2 ** 31));
    expect(await i.add(2 ** 31 - 1).item()).toBe(2 ** 31 - 1);
    expect(
      await i
        .cast("u32")
        .add(2 ** 32 - 1)
        .item(),
    ).toBe(2 ** 32 - 1);
    const f = tensor([0]);
    for (const value of [Infinity, -Infinity, 3.4028234663852886e38, 1.1754943508222875e-38, 16777217, 1e-3])
      expect(await f.add(value).item()).toBe(Math.fround(value));
    expect(await f.add(NaN).item()).toBeNaN();
  });
});

describe("dtype errors", () => {
  const i = tensor([1], { dtype: "i32" });
  const u = tensor([1], { dtype: "u32" });
  const b = tensor([1], { dtype: "bool" });

  test.each<[string, () => unknown, string]>([
    ["exp of i32", () => i.exp(), "exp: input must be f32, got i32; cast it first"],
    ["neg of u32", () => u.neg(), "neg: input must be f32 or i32, got u32; cast it first"],
    ["sum of bools by add", () => b.add(b), "add: input must be f32 or i32 or u32, got bool; cast it first"],
    ["order of bools", () => b.lt(b), "lt: input must be f32 or i32 or u32, got bool; cast it first"],
    ["pow of i32", () => i.pow(i), "pow: input must be f32, got i32; cast it first"],
    ["i32 minus u32", () => i.sub(u), "sub: operands must share a dtype, got i32 and u32; cast one"],
    ["where of two dtypes", () => where(b, u, i), "where: operands must share a dtype, got u32 and i32; cast one"],
    ["i32 plus a half", () => i.add(0.5), "constant: i32 must be given whole numbers of 32 bits, got 0.5"],
    ["i32 plus 2³²", () => i.add(2 ** 32), "constant: i32 must be given whole numbers of 32 bits, got 4294967296"],
    ["mean of i32", () => i.mean(), "mean: input must be f32, got i32; cast it first"],
  ])("%s", (_, make, message) => {
    expect(make).toThrow(DTypeError);
    expect(make).toThrow(message);
  });
});
