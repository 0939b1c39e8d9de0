import type { DType } from "../base/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { nextOpId, type ElementwiseOp, type Vjp } from "./op.ts";

const FLOAT: readonly DType[] = ["f32"];
const SIGNED: readonly DType[] = ["f32", "i32"];
const NUMBER: readonly DType[] = ["f32", "i32", "u32"];
const BOOL: readonly DType[] = ["bool"];
const ANY: readonly DType[] = [...NUMBER, ...BOOL];

interface Row {
  readonly wgsl: (args: readonly string[], type: string, attrs: readonly number[]) => string;
  readonly vjp: Vjp;
  readonly cheap?: boolean;
  readonly takes: readonly DType[];
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
const compare = (operator: string, takes = NUMBER): Row => ({
  wgsl: ([a, b]) => `(${a} ${operator} ${b})`,
  vjp: none,
  cheap: true,
  takes,
});

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
  exp: unary(
    (a) => `exp(${a})`,
    (dy, _, y) => dy.mul(y),
  ),
  log: unary(
    (a) => `log(${a})`,
    (dy, x) => dy.div(x),
  ),
  sin: unary(
    (a) => `sin(${a})`,
    (dy, x) => dy.mul(x.cos()),
  ),
  cos: unary(
    (a) => `cos(${a})`,
    (dy, x) => dy.mul(x.sin()).neg(),
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
    (a, type) => `tanh(clamp(${a}, ${type}(-10.0), ${type}(10.0)))`,
    (dy, _, y) => dy.sub(dy.mul(y.square())),
  ),
  sigmoid: unary(
    (a, type) => `(${type}(1.0) / (${type}(1.0) + exp(-${a})))`,
    (dy, _, y) => dy.mul(y.sub(y.square())),
  ),
  relu: unary(
    (a, type) => `max(${a}, ${type}(0.0))`,
    (dy, x) => dy.mul(x.gt(0).cast("f32")),
    true,
  ),
  silu: unary(
    (a, type) => `(${a} / (${type}(1.0) + exp(-${a})))`,
    (dy, x) => {
      const s = x.sigmoid();
      return dy.mul(s.mul(x.mul(s.neg().add(1)).add(1)));
    },
  ),
  erf: unary(
    (a) => `erf_approx(${a})`,
    (dy, x) => dy.mul(x.square().neg().exp()).mul(TWO_OVER_SQRT_PI),
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
  pow: binary(
    (a, b) => `pow(${a}, ${b})`,
    (dy, a, b, y) => [dy.mul(b).mul(a.pow(b.sub(1))), dy.mul(y).mul(a.log())],
    false,
    FLOAT,
  ),
  maximum: binary(
    (a, b) => `max(${a}, ${b})`,
    (dy, a, b) => [dy.mul(a.ge(b).cast("f32")), dy.mul(a.lt(b).cast("f32"))],
  ),
  minimum: binary(
    (a, b) => `min(${a}, ${b})`,
    (dy, a, b) => [dy.mul(a.le(b).cast("f32")), dy.mul(a.gt(b).cast("f32"))],
  ),
  eq: compare("==", ANY),
  ne: compare("!=", ANY),
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
    vjp: (dy, [x]) => [x?.dtype === "f32" ? dy.cast("f32") : null],
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

/**
 * erf as x·P(x²)/Q(x²) on [-4, 4], where float32 erf saturates. Rational minimax coefficients as published with Eigen; error below 4e-7.
 */
export const erfWgsl = (type: string): string => /* wgsl */ `
fn erf_approx(value: ${type}) -> ${type} {
  let x = clamp(value, ${type}(-4.0), ${type}(4.0));
  let s = x * x;
  var p = ${type}(-2.72614225801306e-10);
  p = p * s + 2.77068142495902e-08;
  p = p * s - 2.10102402082508e-06;
  p = p * s - 5.69250639462346e-05;
  p = p * s - 7.34990630326855e-04;
  p = p * s - 2.95459980854025e-03;
  p = p * s - 1.60960333262415e-02;
  var q = ${type}(-1.45660718464996e-05);
  q = q * s - 2.13374055278905e-04;
  q = q * s - 1.68282697438203e-03;
  q = q * s - 7.37332916720468e-03;
  q = q * s - 1.42647390514189e-02;
  return x * p / q;
}
`;
