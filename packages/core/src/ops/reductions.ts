import { isFloat } from "../base/dtype.ts";
import { ShapeError } from "../base/errors.ts";
import { formatShape, normalizeAxis } from "../base/shape.ts";
import { arange } from "../tensor/create.ts";
import { where, type ReduceOptions, type Tensor } from "../tensor/tensor.ts";
import { gather } from "./indexing.ts";
import type { Ranked } from "./sort.ts";

/** The one axis that an op works along. */
export interface AxisOptions {
  /** All elements, flattened, by default. Negative axes count from the back. */
  readonly axis?: number;
  /** Keep the axis with size 1. */
  readonly keepdim?: boolean;
}

/** How many elements are not zero (or true), i32. */
export const countNonzero = (x: Tensor, options: ReduceOptions = {}): Tensor => x.cast("bool").cast("i32").sum(options);

/** Whether any element is not zero; false for none. */
export const any = (x: Tensor, options: ReduceOptions = {}): Tensor => countNonzero(x, options).gt(0);

/** Whether no element is zero; true for none. */
export const all = (x: Tensor, options: ReduceOptions = {}): Tensor =>
  countNonzero(x.cast("bool").not(), options).eq(0);

/** Positions (i32) of the first extremum along an axis, or in the flattened tensor. The first NaN counts as one. */
function argExtremum(op: string, x: Tensor, { axis, keepdim = false }: AxisOptions, which: "max" | "min"): Tensor {
  if (axis === undefined) {
    const flat = argExtremum(op, x.reshape([x.size]), { axis: 0 }, which);
    return keepdim ? flat.reshape(x.shape.map(() => 1)) : flat;
  }
  const a = normalizeAxis(op, axis, x.ndim);
  const n = x.shape[a] ?? 0;
  if (n === 0) throw new ShapeError(`${op}: the axis must not be empty, got shape ${formatShape(x.shape)}`);
  const best = which === "max" ? x.max({ axis: a, keepdim: true }) : x.min({ axis: a, keepdim: true });
  const hit = x.eq(best);
  const found = isFloat(x.dtype) ? hit.or(x.isNan()) : hit;
  const place = arange(n, { dtype: "i32" }).reshape([n, ...new Array<number>(x.ndim - 1 - a).fill(1)]);
  const nan = isFloat(x.dtype) ? where(x.isNan(), place.sub(n), place) : place;
  const first = where(found, nan, n).min({ axis: a, keepdim });
  return where(first.lt(0), first.add(n), first);
}
/** Position (i32) of the first largest element along an axis, or in the flattened tensor; of the first NaN if there is one. */
export const argmax = (x: Tensor, options: AxisOptions = {}): Tensor => argExtremum("argmax", x, options, "max");
/** Position (i32) of the first least element along an axis, or in the flattened tensor; of the first NaN if there is one. */
export const argmin = (x: Tensor, options: AxisOptions = {}): Tensor => argExtremum("argmin", x, options, "min");

function withIndices(op: string, x: Tensor, axis: number, keepdim: boolean, which: "max" | "min"): Ranked {
  const indices = argExtremum(op, x, { axis, keepdim: true }, which);
  const values = gather(x, axis, indices);
  return keepdim ? { values, indices } : { values: values.squeeze(axis), indices: indices.squeeze(axis) };
}
/** The largest value of an axis and its first position; the gradient goes there alone, where `x.max()` shares it among ties. */
export const maxWithIndices = (x: Tensor, axis: number, { keepdim = false } = {}): Ranked =>
  withIndices("maxWithIndices", x, axis, keepdim, "max");
/** The smallest value of an axis and its first position; the gradient goes there alone. */
export const minWithIndices = (x: Tensor, axis: number, { keepdim = false } = {}): Ranked =>
  withIndices("minWithIndices", x, axis, keepdim, "min");

/** Standard deviation: the root of the variance. `correction` is taken from n; 1 makes the variance unbiased. */
export const std = (x: Tensor, options: ReduceOptions & { correction?: number } = {}): Tensor =>
  x.variance(options).sqrt();

/** log Σ exp x, without overflow. */
export function logSumExp(x: Tensor, { axis, keepdim = false }: ReduceOptions = {}): Tensor {
  const options = axis === undefined ? {} : { axis };
  const top = x.max({ ...options, keepdim: true }).detach();
  // an infinite maximum would be taken from itself
  const shift = where(top.isFinite(), top, 0);
  const sum = x
    .sub(shift)
    .exp()
    .sum({ ...options, keepdim: true })
    .log()
    .add(shift);
  return keepdim ? sum : dropAxes(sum, x, axis);
}

function dropAxes(kept: Tensor, x: Tensor, axis: ReduceOptions["axis"]): Tensor {
  if (axis === undefined) return kept.reshape([]);
  const gone = (typeof axis === "number" ? [axis] : axis).map((a) => normalizeAxis("logSumExp", a, x.ndim));
  return kept.reshape(kept.shape.filter((_, i) => !gone.includes(i)));
}

/** The p-norm (Σ |x|^p)^(1/p); p may be Infinity. The slope of the 2-norm at 0 is 0. */
export function norm(x: Tensor, { p = 2, ...options }: ReduceOptions & { p?: number } = {}): Tensor {
  if (p === Infinity) return x.abs().max(options);
  if (p === 1) return x.abs().sum(options);
  if (p !== 2)
    return x
      .abs()
      .pow(p)
      .sum(options)
      .pow(1 / p);
  const sum = x.square().sum(options);
  // √ has no slope at 0
  const nonzero = sum.ne(0);
  return where(nonzero, where(nonzero, sum, 1).sqrt(), 0);
}

/** x / max(‖x‖, ε) along an axis. */
export function normalize(
  x: Tensor,
  { p = 2, axis = 1, eps = 1e-12 }: { p?: number; axis?: number; eps?: number } = {},
): Tensor {
  return x.div(norm(x, { p, axis, keepdim: true }).clamp(eps));
}
