import { ShapeError } from "../base/errors.ts";
import { Node } from "../graph/node.ts";
import { argsortOp } from "../primitives/argsort.ts";
import { Tensor } from "../tensor/tensor.ts";
import { rowsAlong } from "./along-axis.ts";
import { gather } from "./indexing.ts";

/** Which axis is sorted, and how. */
export interface SortOptions {
  /** The last by default. */
  readonly axis?: number;
  /** Largest first. */
  readonly descending?: boolean;
}

/** Values and where along the axis they were. */
export interface Ranked {
  /** The elements, of the input's dtype. */
  readonly values: Tensor;
  /** i32 */
  readonly indices: Tensor;
}

/** Positions (i32) that sort an axis. Equal values keep their order; NaN counts as larger than all numbers. */
export function argsort(x: Tensor, { axis = -1, descending = false }: SortOptions = {}): Tensor {
  if (x.ndim === 0) return argsort(x.reshape([1]), { descending }).reshape([]);
  const { rows, restore } = rowsAlong("argsort", x, axis);
  return restore(new Tensor(new Node(argsortOp, [rows.node], [descending ? 1 : 0], rows.shape, "i32")));
}

/** An axis in order, with the positions its values came from. Stable. */
export function sort(x: Tensor, { axis = -1, descending = false }: SortOptions = {}): Ranked {
  const indices = argsort(x, { axis, descending });
  return { values: x.ndim === 0 ? x : gather(x, axis, indices), indices };
}

/** The k largest values of an axis (or smallest), in order. @throws ShapeError when the axis has fewer */
export function topk(
  x: Tensor,
  k: number,
  { axis = -1, largest = true }: { axis?: number; largest?: boolean } = {},
): Ranked {
  const n = x.shape.at(axis) ?? 0;
  if (!Number.isInteger(k) || k < 0 || k > n)
    throw new ShapeError(`topk: k must be a whole number in [0, ${n}], the length of axis ${axis}, got ${k}`);
  const indices = argsort(x, { axis, descending: largest }).slice(axis, 0, k);
  return { values: gather(x, axis, indices), indices };
}
