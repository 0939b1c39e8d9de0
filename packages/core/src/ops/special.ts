import { DTypeError, ShapeError } from "../base/errors.ts";
import { expectDType } from "../tensor/build.ts";
import { full, type Tensor, where } from "../tensor/tensor.ts";
import { defineOp } from "./define-op.ts";
import { all } from "./reductions.ts";

/** Of t·e^{−z² + P(t)}, t = 1 / (1 + z/2). */
const ERFC = [
  0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368,
  -1.26551223,
];

const complementary = defineOp({
  name: "erfc",
  infer: ([x]) => ({ shape: x?.shape ?? [], dtype: x?.dtype ?? "f32" }),
  compose: ([x]) => {
    if (!x) throw new ShapeError("erfc: needs x");
    const z = x.abs();
    const t = z.mul(0.5).add(1).reciprocal();
    const [first = 0, ...rest] = ERFC;
    const series = rest.reduce((sum, c) => sum.mul(t).add(c), full([], first));
    const tail = t.mul(series.sub(z.square()).exp());
    return where(x.lt(0), tail.neg().add(2), tail);
  },
  vjp: (dy, [x]) => [x ? dy.mul(x.square().neg().exp()).mul(-2 / Math.sqrt(Math.PI)) : null],
});

/** 1 − erf x, to 1e-6 of its own size where that vanishes. @see Press et al., Numerical Recipes, "erfcc" */
export function erfc(x: Tensor): Tensor {
  expectDType("erfc", x.dtype, ["f32"]);
  return complementary([x]);
}

/** (e^x − e^−x) / 2, exact near 0. */
export function sinh(x: Tensor): Tensor {
  const grown = x.expm1();
  // (g + g/(g + 1)) / 2 with g = e^x − 1; ∞/∞ is 1
  return grown.add(where(grown.isInf(), 1, grown.div(grown.add(1)))).mul(0.5);
}

/** (e^x + e^−x) / 2 */
export const cosh = (x: Tensor): Tensor => x.exp().add(x.neg().exp()).mul(0.5);

/** log(x + √(x² + 1)) */
export function asinh(x: Tensor): Tensor {
  const size = x.abs();
  const root = hypot(size, 1);
  // log1p(|x| + x² / (1 + √(x² + 1))), which keeps small x
  const value = size.add(size.mul(size.div(root.add(1)))).log1p();
  const finite = where(size.isInf(), size, value);
  return where(x.lt(0), finite.neg(), finite);
}

/** log(x + √(x² − 1)); NaN below 1. */
export const acosh = (x: Tensor): Tensor => x.add(x.sub(1).sqrt().mul(x.add(1).sqrt())).log();

/** ½ log((1 + x) / (1 − x)) */
export const atanh = (x: Tensor): Tensor => x.log1p().sub(x.neg().log1p()).mul(0.5);

/** log(p / (1 − p)), of p held within [eps, 1 − eps] if given. */
export function logit(p: Tensor, eps?: number): Tensor {
  const inside = eps === undefined ? p : p.clamp(eps, 1 - eps);
  return inside.log().sub(inside.neg().log1p());
}

/** sin(πx) / πx, and 1 at 0. */
export function sinc(x: Tensor): Tensor {
  const zero = x.eq(0);
  const angle = where(zero, 1, x).mul(Math.PI);
  return where(zero, 1, angle.sin().div(angle));
}

/** x·log y, and 0 where x is 0 unless y is NaN. */
export function xlogy(x: Tensor, y: Tensor): Tensor {
  const zero = x.eq(0).and(y.isNan().not());
  return where(zero, 0, x.mul(where(zero, 1, y).log()));
}

/** √(a² + b²), without overflow; no slope where both are 0. */
export function hypot(a: Tensor, b: Tensor | number): Tensor {
  const [x, y] = [a.abs(), typeof b === "number" ? full([], Math.abs(b)) : b.abs()];
  const top = x.maximum(y).detach();
  const plain = top.eq(0).or(top.isInf());
  const scale = where(plain, 1, top);
  const sum = x.div(scale).square().add(y.div(scale).square());
  return where(plain, top, where(plain, 1, sum).sqrt().mul(scale));
}

/** log(e^a + e^b), without overflow. */
export function logAddExp(a: Tensor, b: Tensor): Tensor {
  const top = a.maximum(b).detach();
  const shift = where(top.isInf(), 0, top);
  return a.sub(shift).exp().add(b.sub(shift).exp()).log().add(shift);
}

/** a + weight·(b − a): a at 0, b at 1. */
export const lerp = (a: Tensor, b: Tensor, weight: Tensor | number): Tensor => a.add(b.sub(a).mul(weight));

/** What trunc leaves, with the sign of x. */
export const frac = (x: Tensor): Tensor => x.sub(x.trunc());

/** The size of x with the sign of y; −0 counts as 0. */
export const copySign = (x: Tensor, y: Tensor): Tensor => where(y.lt(0), x.abs().neg(), x.abs());

/** 0 below 0, 1 above it, `value` at 0, NaN for NaN. No gradient. */
export const heaviside = (x: Tensor, value: Tensor | number): Tensor =>
  where(x.eq(0), value, where(x.gt(0), 1, where(x.lt(0), 0, x))).detach();

/** How far apart numbers may be that count as close. */
export interface ClosenessOptions {
  /** Of the second operand's size. */
  readonly relative?: number;
  /** Added to the relative part; 1e-8 by default. */
  readonly absolute?: number;
  /** NaN is close to NaN. */
  readonly equalNan?: boolean;
}

/** Whether |a − b| ≤ absolute + relative·|b|; an infinity is close to itself. @see torch.isclose */
export function isClose(
  a: Tensor,
  b: Tensor,
  { relative = 1e-5, absolute = 1e-8, equalNan = false }: ClosenessOptions = {},
): Tensor {
  if (a.dtype !== b.dtype)
    throw new DTypeError(`isClose: operands must share a dtype, got ${a.dtype} and ${b.dtype}; cast one`);
  if (a.dtype !== "f32") return isClose(a.cast("f32"), b.cast("f32"), { relative, absolute, equalNan });
  const near = a.sub(b).abs().le(b.abs().mul(relative).add(absolute)).and(b.isFinite());
  const same = a.eq(b).or(near);
  return equalNan ? same.or(a.isNan().and(b.isNan())) : same;
}

/** Whether all elements are close, a bool scalar. @throws ShapeError when the shapes do not broadcast */
export const allClose = (a: Tensor, b: Tensor, options: ClosenessOptions = {}): Tensor => all(isClose(a, b, options));
