import { normalizeAxis } from "../base/shape.ts";
import { arange } from "../tensor/create.ts";
import { concat } from "../tensor/join.ts";
import { full, realize, type Tensor } from "../tensor/tensor.ts";
import { cumsum } from "./cumulative.ts";
import { gather, indexSelect } from "./indexing.ts";
import { moveAxis } from "./movement.ts";
import { any } from "./reductions.ts";
import { searchSorted } from "./search.ts";
import { argsort } from "./sort.ts";

/** Distinct elements or slices of a tensor. */
export interface Unique {
  /** The tensor's dtype and shape, but [count] or with `count` slices along the axis. */
  readonly values: Tensor;
  /** Which of them each element or slice is, i32, of the tensor's shape or [n]. */
  readonly inverse: Tensor;
  /** How often each occurs, i32 [count]. */
  readonly counts: Tensor;
}

/** What is told apart. */
export interface UniqueOptions {
  /** Slices along it; elements by default. */
  readonly axis?: number;
}

/** Runs of equal neighbours among sorted or unsorted things. */
interface Runs {
  /** Where each begins, i32 [count]. */
  readonly starts: Tensor;
  /** Which of them each thing belongs to, i32 [n]. */
  readonly inverse: Tensor;
  readonly counts: Tensor;
}

/** Numbers [.., n] of the runs along the last axis, from whether each of things 1 to n − 1 differs from the one before. */
const runNumbers = (changes: Tensor): Tensor =>
  cumsum(concat([full([...changes.shape.slice(0, -1), 1], 0, "i32"), changes.cast("i32")], { axis: -1 }), -1);

/** @param things [n, m], n slices of m elements */
async function runs(things: Tensor): Promise<Runs> {
  const [n = 0] = things.shape;
  const none = full([0], 0, "i32");
  if (n === 0) return { starts: none, inverse: none, counts: none };
  const changes = any(things.slice(0, 1).ne(things.slice(0, 0, n - 1)), { axis: 1 });
  const inverse = runNumbers(changes);
  const last = inverse.slice(0, -1);
  await realize([inverse, last]);
  const count = (await last.item()) + 1;
  const edges = searchSorted(inverse, arange(count + 1, { dtype: "i32" }));
  const starts = edges.slice(0, 0, count);
  return { starts, inverse, counts: edges.slice(0, 1).sub(starts) };
}

/**
 * Positions i32 [n] that put slices in order of their first elements, then their second ones, and so on: pairs of neighbouring
 * columns become one column of ranks until one is left, so m columns take log₂ m rounds.
 *
 * @param things [n, m]
 */
function lexicographicOrder(things: Tensor): Tensor {
  const [n = 0] = things.shape;
  let columns = things.transpose();
  if (columns.shape[0] === 0) return arange(n, { dtype: "i32" });
  for (let m = columns.shape[0] ?? 0; m > 1; m = Math.ceil(m / 2)) {
    const even = m % 2 === 0 ? columns : concat([columns, full([1, n], 0, columns.dtype)]);
    const half = Math.ceil(m / 2);
    const pairs = even.reshape([half, 2, n]);
    const member = (i: number): Tensor => pairs.slice(1, i, i + 1).reshape([half, n]);
    const [first, second] = [member(0), member(1)];
    const bySecond = argsort(second);
    const order = gather(bySecond, 1, argsort(gather(first, 1, bySecond)));
    const change = (column: Tensor): Tensor => {
      const sorted = gather(column, 1, order);
      return sorted.slice(1, 1).ne(sorted.slice(1, 0, n - 1));
    };
    columns = gather(runNumbers(change(first).or(change(second))), 1, argsort(order));
  }
  return argsort(columns.reshape([n]));
}

/** [n, m]: slices along the axis or, without one, elements. */
function slicesOf(op: string, x: Tensor, axis: number | undefined): Tensor {
  if (axis === undefined) return x.detach().reshape([x.size, 1]);
  const at = normalizeAxis(op, axis, x.ndim);
  const n = x.shape[at] ?? 0;
  return moveAxis(x.detach(), at, 0).reshape([n, n === 0 ? 0 : x.size / n]);
}

/** What of a tensor lies at positions [count]. */
const pick = (x: Tensor, axis: number | undefined, positions: Tensor): Tensor =>
  axis === undefined ? indexSelect(x.reshape([x.size]), 0, positions) : indexSelect(x, axis, positions);

/**
 * The distinct values of a tensor, or its distinct slices along an axis, rising (slices by their first difference), with which of them each
 * is and how often each occurs. It runs what x depends on, as the result's size depends on it. Each NaN is distinct, and they come
 * last. No gradient.
 *
 * @see torch.unique
 */
export async function unique(x: Tensor, { axis }: UniqueOptions = {}): Promise<Unique> {
  if (x.dtype === "bool") {
    const found = await unique(x.cast("i32"), axis === undefined ? {} : { axis });
    return { ...found, values: found.values.cast("bool") };
  }
  const things = slicesOf("unique", x, axis);
  const order = lexicographicOrder(things);
  const { starts, inverse, counts } = await runs(indexSelect(things, 0, order));
  return {
    values: pick(x.detach(), axis, indexSelect(order, 0, starts)),
    inverse: gather(inverse, 0, argsort(order)).reshape(axis === undefined ? x.shape : inverse.shape),
    counts,
  };
}

/**
 * The same of runs: of equal neighbours, in row-major order or along an axis, all but the first are left out.
 *
 * @see torch.unique_consecutive
 */
export async function uniqueConsecutive(x: Tensor, { axis }: UniqueOptions = {}): Promise<Unique> {
  const { starts, inverse, counts } = await runs(slicesOf("uniqueConsecutive", x, axis));
  return {
    values: pick(x.detach(), axis, starts),
    inverse: inverse.reshape(axis === undefined ? x.shape : inverse.shape),
    counts,
  };
}
