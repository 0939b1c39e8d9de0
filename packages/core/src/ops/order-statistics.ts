import { ShapeError } from "../base/errors.ts";
import { formatShape, normalizeAxis } from "../base/shape.ts";
import { expectDType } from "../tensor/build.ts";
import { arange } from "../tensor/create.ts";
import { stack } from "../tensor/join.ts";
import { type Tensor, where } from "../tensor/tensor.ts";
import { gather } from "./indexing.ts";
import { argmax, type AxisOptions, countNonzero } from "./reductions.ts";
import { cummax } from "./running.ts";
import { argsort, type Ranked, sort } from "./sort.ts";

function nonEmpty(op: string, x: Tensor, axis: number): number {
  const n = x.shape[axis] ?? 0;
  if (n === 0) throw new ShapeError(`${op}: the axis must not be empty, got shape ${formatShape(x.shape)}`);
  return n;
}

/**
 * The middle value of an axis in order, the lower one of two, and where it was. Of several equal ones it is the first in order; NaN where the axis
 * holds one. The gradient goes to that element alone.
 *
 * @throws ShapeError for an empty axis
 * @see torch.median with a dim
 */
export function medianWithIndices(x: Tensor, axis: number, { keepdim = false } = {}): Ranked {
  const a = normalizeAxis("median", axis, x.ndim);
  const n = nonEmpty("median", x, a);
  const order = argsort(x, { axis: a });
  const middle = Math.floor((n - 1) / 2);
  // NaN are sorted behind all numbers
  const numbers = countNonzero(x.cast("f32").isNan().not(), { axis: a, keepdim: true });
  const indices = gather(order, a, where(numbers.lt(n), numbers, middle));
  const values = gather(x, a, indices);
  return keepdim ? { values, indices } : { values: values.squeeze(a), indices: indices.squeeze(a) };
}

/** The middle value along an axis, or of all elements; the lower one of two. @see torch.median */
export function median(x: Tensor, { axis, keepdim = false }: AxisOptions = {}): Tensor {
  if (axis !== undefined) return medianWithIndices(x, axis, { keepdim }).values;
  const { values } = medianWithIndices(x.reshape([x.size]), 0);
  return keepdim ? values.reshape(x.shape.map(() => 1)) : values;
}

/**
 * The value that an axis holds most often, the smallest of several, and its last place. Each NaN stands alone. The gradient goes to that element.
 *
 * @throws ShapeError for an empty axis
 * @see torch.mode
 */
export function mode(x: Tensor, { axis = -1, keepdim = false }: AxisOptions = {}): Ranked {
  const a = normalizeAxis("mode", axis, x.ndim);
  const n = nonEmpty("mode", x, a);
  const order = argsort(x, { axis: a });
  const sorted = gather(x.detach(), a, order);
  const changes = sorted
    .slice(a, 1, n)
    .ne(sorted.slice(a, 0, n - 1))
    .cast("f32");
  const places = arange(n, { dtype: "f32" }).reshape(x.shape.map((_, i) => (i === a ? n : 1)));
  // where the run of equal values that a place belongs to begins; its length is greatest at the end of the longest run
  const begins = cummax(changes.pad(x.shape.map((_, i) => (i === a ? [1, 0] : [0, 0]))).mul(places), a).values;
  const indices = gather(order, a, argmax(places.sub(begins), { axis: a, keepdim: true }));
  const values = gather(x, a, indices);
  return keepdim ? { values, indices } : { values: values.squeeze(a), indices: indices.squeeze(a) };
}

/** Which axis, and what stands between two elements. */
export interface QuantileOptions extends AxisOptions {
  /** What stands between two neighbours in order: a line by default. */
  readonly interpolation?: "linear" | "lower" | "higher" | "midpoint" | "nearest";
}

/**
 * The values below which fractions q of an axis, or of all elements, lie: in order, place q·(n − 1), between two places as `interpolation` says.
 * NaN where the axis holds one.
 *
 * @param x f32
 * @param q in [0, 1]; several give an axis in front
 * @throws ShapeError for an empty axis, or q outside [0, 1]
 * @see torch.quantile
 */
export function quantile(
  x: Tensor,
  q: number | readonly number[],
  { axis, keepdim = false, interpolation = "linear" }: QuantileOptions = {},
): Tensor {
  expectDType("quantile", x.dtype, ["f32"]);
  const a = axis === undefined ? 0 : normalizeAxis("quantile", axis, x.ndim);
  const along = axis === undefined ? x.reshape([x.size]) : x;
  const n = nonEmpty("quantile", along, a);
  const fractions = typeof q === "number" ? [q] : q;
  if (fractions.length === 0 || !fractions.every((f) => f >= 0 && f <= 1))
    throw new ShapeError(`quantile: q must be one or more numbers in [0, 1], got [${fractions.join(", ")}]`);
  const { values } = sort(along, { axis: a });
  const at = (place: number): Tensor => values.slice(a, place, place + 1);
  const results = fractions.map((f) => {
    const place = f * (n - 1);
    const [low, high] = [Math.floor(place), Math.ceil(place)];
    if (low === high || interpolation === "lower") return at(low);
    if (interpolation === "higher") return at(high);
    // halves to even, as torch.round
    if (interpolation === "nearest") return at(place - low === 0.5 ? low + (low % 2) : Math.round(place));
    const share = interpolation === "midpoint" ? 0.5 : place - low;
    return at(low).add(at(high).sub(at(low)).mul(share));
  });
  const last = at(n - 1);
  const shape = (t: Tensor): Tensor => {
    if (axis === undefined) return t.reshape(keepdim ? x.shape.map(() => 1) : []);
    return keepdim ? t : t.squeeze(a);
  };
  // behind all numbers: the last is NaN where any is
  const clean = results.map((y) => shape(where(last.isNan(), last, y)));
  const [only] = clean;
  return typeof q === "number" && only ? only : stack(clean);
}
