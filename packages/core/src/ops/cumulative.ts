import { ShapeError } from "../base/errors.ts";
import { formatShape, sameShape, type Shape } from "../base/shape.ts";
import { Node } from "../graph/node.ts";
import { linearScanOp, SCAN_BOTH, SCAN_PRODUCT, SCAN_SUM } from "../primitives/linear-scan.ts";
import { expectDType } from "../tensor/build.ts";
import { full, Tensor } from "../tensor/tensor.ts";
import { rowsAlong } from "./along-axis.ts";

const scan = (inputs: readonly Tensor[], shape: Shape, kind: number, start: number): Tensor =>
  new Tensor(
    new Node(
      linearScanOp,
      inputs.map((t) => t.node),
      [kind, start],
      shape,
      inputs[0]?.dtype ?? "f32",
    ),
  );

/** Running sums along an axis: y_t = x_0 + … + x_t. */
export function cumsum(x: Tensor, axis = -1): Tensor {
  expectDType("cumsum", x.dtype, ["f32", "i32", "u32"]);
  const { rows, restore } = rowsAlong("cumsum", x, axis);
  return restore(scan([rows], rows.shape, SCAN_SUM, 0));
}

/** Running products along an axis: y_t = x_0 · … · x_t. Its gradient is exact where factors are zero. */
export function cumprod(x: Tensor, axis = -1): Tensor {
  expectDType("cumprod", x.dtype, ["f32", "i32", "u32"]);
  const { rows, restore } = rowsAlong("cumprod", x, axis);
  return restore(scan([rows], rows.shape, SCAN_PRODUCT, 1));
}

/** The product of an axis' elements, or of all; 1 for none. Its gradient is exact where factors are zero. */
export function prod(x: Tensor, { axis, keepdim = false }: { axis?: number; keepdim?: boolean } = {}): Tensor {
  expectDType("prod", x.dtype, ["f32", "i32", "u32"]);
  if (axis === undefined) {
    const all = prod(x.reshape([x.size]), { axis: 0 });
    return keepdim ? all.reshape(x.shape.map(() => 1)) : all;
  }
  const { rows, restore, axis: at } = rowsAlong("prod", x, axis);
  const [outer = 0, n = 0] = rows.shape;
  const last = n === 0 ? full([outer, 1], 1, x.dtype) : scan([rows], rows.shape, SCAN_PRODUCT, 1).slice(1, n - 1);
  const kept = restore(last);
  return keepdim ? kept : kept.squeeze(at);
}

/**
 * The linear recurrence h_t = a_t·h_{t−1} + b_t along an axis, with h_{−1} = 0: what state-space layers and exponential averages run.
 *
 * @throws ShapeError when a and b differ in shape
 */
export function linearScan(a: Tensor, b: Tensor, axis = -1): Tensor {
  if (!sameShape(a.shape, b.shape))
    throw new ShapeError(
      `linearScan: a and b must share a shape, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  for (const t of [a, b]) expectDType("linearScan", t.dtype, ["f32"]);
  const factors = rowsAlong("linearScan", a, axis);
  const { rows } = rowsAlong("linearScan", b, axis);
  return factors.restore(scan([factors.rows, rows], rows.shape, SCAN_BOTH, 0));
}
