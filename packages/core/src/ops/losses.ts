import { ShapeError } from "../base/errors.ts";
import { formatShape, sameShape } from "../base/shape.ts";
import { arange, type Tensor } from "../tensor/tensor.ts";
import { logSoftmax } from "./softmax.ts";

/** mean (a − b)² */
export function mseLoss(a: Tensor, b: Tensor): Tensor {
  if (!sameShape(a.shape, b.shape))
    throw new ShapeError(`mseLoss: shapes must agree, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`);
  return a.sub(b).square().mean();
}

/**
 * Mean negative log likelihood of the given classes.
 *
 * @param logits [N, C]
 * @param ids i32 [N]
 */
export function crossEntropy(logits: Tensor, ids: Tensor): Tensor {
  const [n, classes] = logits.shape;
  if (logits.ndim !== 2 || classes === undefined || ids.ndim !== 1 || ids.shape[0] !== n)
    throw new ShapeError(
      `crossEntropy: logits [N, C] and ids [N] must share N, got ${formatShape(logits.shape)} and ${formatShape(ids.shape)}`,
    );
  const chosen = arange(classes, { dtype: "i32" }).eq(ids.unsqueeze(1)).cast("f32");
  return logSoftmax(logits).mul(chosen).sum({ axis: -1 }).mean().neg();
}
