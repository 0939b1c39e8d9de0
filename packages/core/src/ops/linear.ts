import { ShapeError } from "../base/errors.ts";
import { expectShape, formatShape } from "../base/shape.ts";
import { matmul } from "../primitives/matmul.ts";
import { matmulNode, permuteNode } from "../tensor/build.ts";
import { Tensor } from "../tensor/tensor.ts";

/**
 * Affine map of the last axis: y = x·Wᵀ + b.
 *
 * @param x [..., in]
 * @param weight [out, in]
 * @param bias [out]
 * @throws ShapeError when the inner sizes differ
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  const [out, inner] = weight.shape;
  if (weight.ndim !== 2 || out === undefined || x.ndim < 1 || x.shape.at(-1) !== inner)
    throw new ShapeError(
      `linear: x [..., in] and weight [out, in] must share in, got ${formatShape(x.shape)} and ${formatShape(weight.shape)}`,
    );
  if (bias) expectShape("linear", "bias", bias.shape, [out]);
  const rows = x.ndim === 2 ? x : x.reshape([x.size / Math.max(1, inner ?? 1), inner ?? 0]);
  const y = new Tensor(matmulNode(matmul, rows.node, permuteNode(weight.node, [1, 0]), bias?.node ?? null));
  return x.ndim === 2 ? y : y.reshape([...x.shape.slice(0, -1), out]);
}
