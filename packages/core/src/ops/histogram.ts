import { DTypeError, ShapeError } from "../base/errors.ts";
import { formatShape, sameShape } from "../base/shape.ts";
import { expectDType } from "../tensor/build.ts";
import { zeros } from "../tensor/create.ts";
import { full, type Tensor, where } from "../tensor/tensor.ts";
import { indexAdd } from "./indexing.ts";
import { countIds } from "./search.ts";

/**
 * How often each whole number from 0 occurs, or the sum of the weights where it does. It runs what the ids depend on, as the result reaches to
 * the largest of them. Negative ids are left out.
 *
 * @param ids i32 or u32 [m]
 * @param options `weights` f32 [m]; `minLength` is the least length of the result
 * @returns i32 [n], or f32 with weights, which get a gradient
 * @see torch.bincount
 */
export async function bincount(
  ids: Tensor,
  { weights, minLength = 0 }: { weights?: Tensor; minLength?: number } = {},
): Promise<Tensor> {
  if (ids.dtype !== "i32" && ids.dtype !== "u32")
    throw new DTypeError(`bincount: ids must be i32 or u32, got ${ids.dtype}; cast them`);
  if (ids.ndim !== 1 || (weights && !sameShape(weights.shape, ids.shape)))
    throw new ShapeError(
      `bincount: ids and weights must be [m], got ${[ids, ...(weights ? [weights] : [])].map((t) => formatShape(t.shape)).join(" and ")}`,
    );
  const whole = ids.cast("i32");
  const largest = ids.size === 0 ? -1 : await whole.max().item();
  const n = Math.max(largest + 1, minLength);
  if (!weights) return countIds(whole, n);
  // a negative id would count from the back
  return indexAdd(zeros([n]), 0, where(whole.lt(0), n, whole), weights);
}

/**
 * How many elements fall in each of `bins` bins of equal width from `min` to `max`, the last one with its end; others, and NaN, count nothing.
 * Without bounds, or equal ones, they are the smallest and the largest element.
 *
 * @param x f32, any shape
 * @returns f32 [bins]; no gradient
 * @throws ShapeError unless bins is a whole number of at least 1 and min ≤ max
 * @see torch.histc
 */
export function histc(
  x: Tensor,
  { bins = 100, min = 0, max = 0 }: { bins?: number; min?: number; max?: number } = {},
): Tensor {
  expectDType("histc", x.dtype, ["f32"]);
  if (!Number.isInteger(bins) || bins < 1 || !(min <= max))
    throw new ShapeError(`histc: needs at least one bin and min ≤ max, got ${bins}, ${min} and ${max}`);
  if (x.size === 0) return zeros([bins]);
  const row = x.detach().reshape([x.size]);
  const given = min < max;
  let low = given ? full([], min) : row.min();
  let high = given ? full([], max) : row.max();
  if (!given) {
    const flat = low.eq(high);
    low = where(flat, low.sub(1), low);
    high = where(flat, high.add(1), high);
  }
  const place = row.sub(low).div(high.sub(low)).mul(bins).floor();
  const inside = row.ge(low).and(row.le(high));
  const bin = where(inside, place, -1)
    .cast("i32")
    .clamp(-1, bins - 1);
  return countIds(bin, bins).cast("f32");
}
