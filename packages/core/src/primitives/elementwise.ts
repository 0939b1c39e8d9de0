import { isFloat, type DType } from "../base/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { nextOpId, type ElementwiseOp, type Vjp } from "./op.ts";
import * as functions from "./wgsl-functions.ts";

const FLOAT: readonly DType[] = ["f32"];
const SIGNED: readonly DType[] = ["f32", "i32"];
const NUMBER: readonly DType[] = ["f32", "i32", "u32"];
const INTEGER: readonly DType[] = ["i32", "u32"];
const BOOL: readonly DType[] = ["bool"];
const ANY: readonly DType[] = [...NUMBER, ...BOOL];

interface Row {
  readonly wgsl: (args: readonly string[], type: string, attrs: readonly number[]) => string;
  readonly vjp: Vjp;
  readonly cheap?: boolean;
  readonly takes: readonly DType[];
  readonly functions?: (type: string) => readonly string[];
}

const none: Vjp = (_, inputs) => inputs.map(() => null);

type Unary = (a: string, type: string) => string;
const unary = (
  wgsl: Unary,
  vjp: (dy: Tensor, x: Tensor, y: Tensor) => Tensor | null,
  cheap = false,
  takes = FLOAT,
): Row => ({
  wgsl: ([a = ""], type) => wgsl(a, type),
  vjp: (dy, [x], y) => [x ? vjp(dy, x, y) : null],
  cheap,
  takes,
});

type Binary = (a: string, b: string, type: string) => string;
const binary = (
  wgsl: Binary,
  vjp: (dy: Tensor, a: Tensor, b: Tensor, y: Tensor) => readonly (Tensor | null)[],
  cheap = true,
  takes = NUMBER,
): Row => ({
  wgsl: ([a = "", b = ""], type) => wgsl(a, b, type),
  vjp: (dy, [a, b], y) => (a && b ? vjp(dy, a, b, y) : []),
  cheap,
  takes,
});
/** Calls functions of `wgsl-functions.ts`. */
const calling = (row: Row, ...texts: ((type: string) => string)[]): Row => ({
  ...row,
  functions: (type) => texts.map((text) => text(type)),
});
/** The WGSL type of `scalar` with as many lanes as `type`. */
const like = (type: string, scalar: string): string => (type.startsWith("vec4") ? `vec4<${scalar}>` : scalar);
/** Tests of the bits of a float: implementations may assume that no NaN or infinity is compared. */
const bitTest = (test: (magnitude: string, limit: string) => string): Row => ({
  wgsl: ([a = ""], type) => {
    const word = like(type, "u32");
    return `(${test(`(bitcast<${word}>(${a}) & ${word}(0x7fffffffu))`, `${word}(0x7f800000u)`)})`;
  },
  vjp: none,
  cheap: true,
  takes: FLOAT,
});
const bitwise = (wgsl: Binary, takes = INTEGER): Row => binary(wgsl, () => [null, null], true, takes);
/** A quotient's rounding down, for floats and for integers, whose division truncates. */
const floored = (a: string, b: string, type: string): string => {
  if (type.includes("f32")) return `floor(${a} / ${b})`;
  return `(${a} / ${b} - select(${type}(0), ${type}(1), ((${a} % ${b}) != ${type}(0)) & ((${a} < ${type}(0)) != (${b} < ${type}(0)))))`;
};
const truncated = (a: string, b: string, type: string): string =>
  type.includes("f32") ? `trunc(${a} / ${b})` : `(${a} / ${b})`;
const compare = (operator: string, takes = NUMBER): Row => ({
  wgsl: ([a, b]) => `(${a} ${operator} ${b})`,
  vjp: none,
  cheap: true,
  takes,
});

/** The extremum of two numbers, NaN if either is: WGSL leaves that open. */
const orNaN = (name: "max" | "min", a: string, b: string, type: string): string =>
  type.includes("f32")
    ? `select(${name}(${a}, ${b}), ${a} + ${b}, !((${a} == ${a}) & (${b} == ${b})))`
    : `${name}(${a}, ${b})`;
/** 1 where it wins, ½ where it ties. */
const share = (wins: Tensor, ties: Tensor): Tensor => wins.cast("f32").add(ties.cast("f32").mul(0.5));

/** sigmoid's argument in GELU's tanh form: 2√(2/π) (x + 0.044715 x³). */
const GELU_LINEAR = 2 * Math.sqrt(2 / Math.PI);
const GELU_CUBIC = 0.044715 * GELU_LINEAR;
const TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI);

/**
 * Every elementwise op: its WGSL on scalars or vec4, and its gradient.
 * tanh clamps its argument because implementations that go through exp overflow to NaN; float32 tanh is ±1 from 10 on.
 */
const table = {
  neg: unary(
    (a) => `(-${a})`,
    (dy) => dy.neg(),
    true,
    SIGNED,
  ),
  abs: unary(
    (a) => `abs(${a})`,
    (dy, x) => dy.mul(x.sign()),
    true,
    NUMBER,
  ),
  exp: calling(
    unary(
      (a) => `exp_ieee(${a})`,
      (dy, _, y) => dy.mul(y),
    ),
    functions.exp,
  ),
  exp2: unary(
    (a) => `exp2(${a})`,
    (dy, _, y) => dy.mul(y).mul(Math.LN2),
  ),
  expm1: calling(
    unary(
      (a) => `expm1_exact(${a})`,
      (dy, _, y) => dy.mul(y.add(1)),
    ),
    functions.expm1,
  ),
  log2: unary(
    (a) => `log2(${a})`,
    (dy, x) => dy.div(x.mul(Math.LN2)),
  ),
  log1p: calling(
    unary(
      (a) => `log1p_exact(${a})`,
      (dy, x) => dy.div(x.add(1)),
    ),
    functions.log,
    functions.log1p,
  ),
  tan: unary(
    (a) => `tan(${a})`,
    (dy, _, y) => dy.mul(y.square().add(1)),
  ),
  asin: unary(
    (a) => `asin(${a})`,
    (dy, x) => dy.mul(x.square().neg().add(1).rsqrt()),
  ),
  acos: unary(
    (a) => `acos(${a})`,
    (dy, x) => dy.mul(x.square().neg().add(1).rsqrt()).neg(),
  ),
  atan: unary(
    (a) => `atan(${a})`,
    (dy, x) => dy.div(x.square().add(1)),
  ),
  log: calling(
    unary(
      (a) => `log_ieee(${a})`,
      (dy, x) => dy.div(x),
    ),
    functions.log,
  ),
  sin: calling(
    unary(
      (a) => `sin_reduced(${a})`,
      (dy, x) => dy.mul(x.cos()),
    ),
    functions.sin,
  ),
  cos: calling(
    unary(
      (a) => `cos_reduced(${a})`,
      (dy, x) => dy.mul(x.sin()).neg(),
    ),
    functions.cos,
  ),
  sqrt: unary(
    (a) => `sqrt(${a})`,
    (dy, _, y) => dy.div(y.mul(2)),
  ),
  rsqrt: unary(
    (a) => `inverseSqrt(${a})`,
    (dy, _, y) => dy.mul(y.mul(y).mul(y)).mul(-0.5),
  ),
  square: unary(
    (a) => `(${a} * ${a})`,
    (dy, x) => dy.mul(x).mul(2),
    true,
    NUMBER,
  ),
  reciprocal: unary(
    (a, type) => `(${type}(1.0) / ${a})`,
    (dy, _, y) => dy.mul(y.square()).neg(),
  ),
  tanh: unary(
    (a, type) => `select(tanh(clamp(${a}, ${type}(-10.0), ${type}(10.0))), ${a}, !(${a} == ${a}))`,
    (dy, _, y) => dy.sub(dy.mul(y.square())),
  ),
  sigmoid: calling(
    unary(
      (a, type) => `(${type}(1.0) / (${type}(1.0) + exp_ieee(-${a})))`,
      (dy, _, y) => dy.mul(y.sub(y.square())),
    ),
    functions.exp,
  ),
  relu: unary(
    (a, type) => `select(${a}, ${type}(0.0), ${a} < ${type}(0.0))`,
    (dy, x) => dy.mul(x.gt(0).cast("f32")),
    true,
  ),
  // NaN in the numerator: what the exponential makes of it does not matter
  silu: unary(
    (a, type) => `(${a} / (${type}(1.0) + exp(-${a})))`,
    (dy, x) => {
      const s = x.sigmoid();
      return dy.mul(s.mul(x.mul(s.neg().add(1)).add(1)));
    },
  ),
  // ½(1 + tanh u) = sigmoid(2u), which costs an exponential less
  gelu: unary(
    (a, type) => `(${a} / (${type}(1.0) + exp(-${a} * (${GELU_LINEAR} + ${GELU_CUBIC} * ${a} * ${a}))))`,
    (dy, x) => {
      const square = x.square();
      const s = x.mul(square.mul(GELU_CUBIC).add(GELU_LINEAR)).sigmoid();
      const slope = x.mul(square.mul(3 * GELU_CUBIC).add(GELU_LINEAR));
      return dy.mul(s.mul(slope.mul(s.neg().add(1)).add(1)));
    },
  ),
  erf: calling(
    unary(
      (a) => `erf_approx(${a})`,
      (dy, x) => dy.mul(x.square().neg().exp()).mul(TWO_OVER_SQRT_PI),
    ),
    functions.erf,
  ),
  erfinv: calling(
    unary(
      (a) => `erf_inverse(${a})`,
      (dy, _, y) => dy.mul(y.square().exp()).mul(1 / TWO_OVER_SQRT_PI),
    ),
    functions.erfinv,
  ),
  sign: unary(
    (a) => `sign(${a})`,
    () => null,
    true,
    SIGNED,
  ),
  floor: unary(
    (a) => `floor(${a})`,
    () => null,
    true,
  ),
  ceil: unary(
    (a) => `ceil(${a})`,
    () => null,
    true,
  ),
  round: unary(
    (a) => `round(${a})`,
    () => null,
    true,
  ),
  trunc: unary(
    (a) => `trunc(${a})`,
    () => null,
    true,
  ),
  // the gradient of a cast: roundings have no slope of their own
  toF16: calling(
    unary(
      (a) => `to_f16(${a})`,
      (dy, x) => dy.cast(x.dtype),
    ),
    functions.toF16,
  ),
  toBf16: calling(
    unary(
      (a) => `to_bf16(${a})`,
      (dy, x) => dy.cast(x.dtype),
    ),
    functions.toBf16,
  ),
  toU8: unary(
    (a, type) => `(${a} & ${type}(255u))`,
    () => null,
    true,
    ["u32"],
  ),
  isNan: bitTest((magnitude, limit) => `${magnitude} > ${limit}`),
  isInf: bitTest((magnitude, limit) => `${magnitude} == ${limit}`),
  isFinite: bitTest((magnitude, limit) => `${magnitude} < ${limit}`),
  bitNot: unary(
    (a) => `(~${a})`,
    () => null,
    true,
    INTEGER,
  ),
  not: unary(
    (a) => `(!${a})`,
    () => null,
    true,
    BOOL,
  ),

  add: binary(
    (a, b) => `(${a} + ${b})`,
    (dy) => [dy, dy],
  ),
  sub: binary(
    (a, b) => `(${a} - ${b})`,
    (dy) => [dy, dy.neg()],
  ),
  mul: binary(
    (a, b) => `(${a} * ${b})`,
    (dy, a, b) => [dy.mul(b), dy.mul(a)],
  ),
  div: binary(
    (a, b) => `(${a} / ${b})`,
    (dy, _, b, y) => {
      const da = dy.div(b);
      return [da, da.mul(y).neg()];
    },
  ),
  // 0⁰ = 1, and its slopes are 0
  pow: calling(
    binary(
      (a, b) => `pow_any(${a}, ${b})`,
      (dy, a, b, y) => [
        dy.mul(b.mul(a.pow(b.sub(1))).where(b.ne(0), 0)),
        dy.mul(y.mul(a.log()).where(a.ne(0).or(b.lt(0)), 0)),
      ],
      false,
      FLOAT,
    ),
    functions.pow,
  ),
  atan2: binary(
    (a, b) => `atan2(${a}, ${b})`,
    (dy, a, b) => {
      const scaled = dy.div(a.square().add(b.square()));
      return [scaled.mul(b), scaled.mul(a).neg()];
    },
    false,
    FLOAT,
  ),
  // equal operands share the gradient, as torch.maximum does
  maximum: binary(
    (a, b, type) => orNaN("max", a, b, type),
    (dy, a, b) => [dy.mul(share(a.gt(b), a.eq(b))), dy.mul(share(a.lt(b), a.eq(b)))],
  ),
  minimum: binary(
    (a, b, type) => orNaN("min", a, b, type),
    (dy, a, b) => [dy.mul(share(a.lt(b), a.eq(b))), dy.mul(share(a.gt(b), a.eq(b)))],
  ),
  floorDivide: binary(floored, () => [null, null]),
  truncDivide: binary(truncated, () => [null, null]),
  /** The sign of the divisor, as Python's %. */
  remainder: binary(
    (a, b, type) => `(${a} - ${b} * ${floored(a, b, type)})`,
    (dy, a, b) => [dy, dy.mul(a.floorDivide(b)).neg()],
  ),
  /** The sign of the dividend, as C's fmod. */
  fmod: binary(
    (a, b, type) => (type.includes("f32") ? `(${a} - ${b} * ${truncated(a, b, type)})` : `(${a} % ${b})`),
    (dy, a, b) => [dy, dy.mul(a.truncDivide(b)).neg()],
  ),
  bitAnd: bitwise((a, b) => `(${a} & ${b})`),
  bitOr: bitwise((a, b) => `(${a} | ${b})`),
  bitXor: bitwise((a, b) => `(${a} ^ ${b})`),
  shiftLeft: bitwise((a, b, type) => `(${a} << ${like(type, "u32")}(${b}))`),
  shiftRight: bitwise((a, b, type) => `(${a} >> ${like(type, "u32")}(${b}))`),
  eq: compare("==", ANY),
  // by ==, which software adapters get right of numbers below 2^-126
  ne: { wgsl: ([a, b]) => `!(${a} == ${b})`, vjp: none, cheap: true, takes: ANY },
  lt: compare("<"),
  le: compare("<="),
  gt: compare(">"),
  ge: compare(">="),
  and: { wgsl: ([a, b]) => `(${a} & ${b})`, vjp: none, cheap: true, takes: BOOL },
  or: { wgsl: ([a, b]) => `(${a} | ${b})`, vjp: none, cheap: true, takes: BOOL },

  where: {
    wgsl: ([c, a, b]) => `select(${b}, ${a}, ${c})`,
    vjp: (dy, [c]) => (c ? [null, dy.where(c, 0), dy.where(c.not(), 0)] : []),
    cheap: true,
    takes: ANY,
  },
  cast: {
    wgsl: ([a], type) => `${type}(${a})`,
    vjp: (dy, [x]) => [x && isFloat(x.dtype) ? dy.cast(x.dtype) : null],
    cheap: true,
    takes: ANY,
  },
} as const satisfies Record<string, Row>;

export type ElementwiseName = keyof typeof table;

const rows = Object.entries(table) as [ElementwiseName, Row][];
export const elementwise = Object.fromEntries(
  rows.map(([name, { cheap = false, ...row }]): [string, ElementwiseOp] => [
    name,
    { id: nextOpId(), name, kind: "elementwise", cheap, ...row },
  ]),
) as Record<ElementwiseName, ElementwiseOp>;
