import { normalizeAxis, sizeOf } from "../base/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** A tensor whose chosen axis is the last of two, as kernels that work along rows take it, and the way back. */
export interface Rows {
  /** [outer, n] */
  readonly rows: Tensor;
  readonly axis: number;
  /** Puts the axis, of whatever length now, back where it was. */
  readonly restore: (rows: Tensor) => Tensor;
}

export function rowsAlong(op: string, x: Tensor, axis: number): Rows {
  const at = normalizeAxis(op, axis, x.ndim);
  const others = x.shape.map((_, i) => i).filter((i) => i !== at);
  const sizes = others.map((i) => x.shape[i] ?? 1);
  const order = [...others, at];
  const back = order.map((_, i) => order.indexOf(i));
  return {
    axis: at,
    rows: x.permute(order).reshape([sizeOf(sizes), x.shape[at] ?? 0]),
    restore: (rows) => rows.reshape([...sizes, rows.shape[1] ?? 0]).permute(back),
  };
}
