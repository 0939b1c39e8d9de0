import { DTypeError, ShapeError } from "../base/errors.ts";
import { formatShape, sizeOf } from "../base/shape.ts";
import { Node } from "../graph/node.ts";
import { gatherOp } from "../primitives/gather.ts";
import { Tensor } from "../tensor/tensor.ts";

/** Rows of tables [outer, n, width] by ids [outer, m]: [outer, m, width]. An id outside its table reads zeros. @internal */
export function gatherRows(table: Tensor, ids: Tensor): Tensor {
  return new Tensor(new Node(gatherOp, [table.node, ids.node], [], [...ids.shape, table.shape[2] ?? 0], table.dtype));
}

/**
 * Rows of a table: y[..., :] = table[ids[...], :]. An id outside the table reads zeros.
 *
 * @param table [V, ...]
 * @param ids i32, any shape
 */
export function embedding(table: Tensor, ids: Tensor): Tensor {
  if (ids.dtype !== "i32") throw new DTypeError(`embedding: ids must be i32, got ${ids.dtype}`);
  if (table.ndim < 1) throw new ShapeError(`embedding: table must be [V, ...], got ${formatShape(table.shape)}`);
  const [rows = 0, ...rest] = table.shape;
  return gatherRows(table.reshape([1, rows, sizeOf(rest)]), ids.reshape([1, ids.size])).reshape([
    ...ids.shape,
    ...rest,
  ]);
}
