import { ShapeError } from "../base/errors.ts";
import { formatShape } from "../base/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { softmax } from "./softmax.ts";

export interface AttentionOptions {
  /** Factor of the scores; 1/√D by default. */
  readonly scale?: number;
  /** Added to the scores; broadcasts to [B, H, Nq, Nk]. */
  readonly mask?: Tensor;
}

/**
 * softmax(scale · q·kᵀ + mask) · v
 *
 * @param q [B, H, Nq, D]
 * @param k [B, H, Nk, D]
 * @param v [B, H, Nk, D]
 * @returns [B, H, Nq, D]
 * @throws ShapeError when heads or sizes disagree
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, { scale, mask }: AttentionOptions = {}): Tensor {
  const [batch, heads, , headDim] = q.shape;
  if ([q, k, v].some((t) => t.ndim !== 4 || t.shape[0] !== batch || t.shape[1] !== heads) || k.shape[2] !== v.shape[2])
    throw new ShapeError(
      `attention: q, k and v must be [B, H, N, D] with k and v of one length, got ${[q, k, v].map((t) => formatShape(t.shape)).join(", ")}`,
    );
  if (k.shape[3] !== headDim || v.shape[3] !== headDim)
    throw new ShapeError(`attention: q, k and v must share headDim, got ${headDim}, ${k.shape[3]} and ${v.shape[3]}`);
  const full = [batch ?? 0, heads ?? 0, q.shape[2] ?? 0, k.shape[2] ?? 0];
  const broadcasts = (m: Tensor): boolean =>
    m.ndim <= 4 && m.shape.every((n, a) => n === 1 || n === full[4 - m.ndim + a]);
  if (mask && !broadcasts(mask))
    throw new ShapeError(`attention: mask must broadcast to ${formatShape(full)}, got ${formatShape(mask.shape)}`);
  const scores = q.matmul(k.transpose()).mul(scale ?? 1 / Math.sqrt(headDim ?? 1));
  return softmax(mask ? scores.add(mask) : scores).matmul(v);
}
