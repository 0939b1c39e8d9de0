import { DTypeError, ShapeError } from "../base/errors.ts";
import { formatShape, type Shape } from "../base/shape.ts";
import { arange, where, type Tensor } from "../tensor/tensor.ts";
import { softmax } from "./softmax.ts";

export interface AttentionOptions {
  /** Factor of the scores; 1/√D by default. */
  readonly scale?: number;
  /** Numbers added to the scores, or true where a query may attend; broadcasts to [..., H, Nq, Nk]. */
  readonly mask?: Tensor;
  /** Query i attends to keys 0 … i only. */
  readonly causal?: boolean;
}

/** Keys and values with their heads repeated to the queries' count: each serves a group of neighbouring heads. */
function grouped(x: Tensor, heads: number): Tensor {
  const own = x.shape.at(-3) ?? 1;
  return own === heads || x.ndim < 3 ? x : x.repeat(heads / own, -3);
}

/**
 * softmax(scale · q·kᵀ + mask) · v
 *
 * @param q [..., H, Nq, D], or [Nq, D]
 * @param k [..., Hk, Nk, D] where Hk divides H
 * @param v [..., Hk, Nk, Dv]
 * @returns [..., H, Nq, Dv]
 * @throws ShapeError when heads or sizes disagree
 */
export function attention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  { scale, mask, causal = false }: AttentionOptions = {},
): Tensor {
  const shapes = [q, k, v].map((t) => formatShape(t.shape)).join(", ");
  const heads = q.ndim >= 3 ? (q.shape.at(-3) ?? 1) : 1;
  const batch = (t: Tensor): Shape => t.shape.slice(0, -3);
  const sameBatch = [k, v].every((t) => t.ndim === q.ndim && formatShape(batch(t)) === formatShape(batch(q)));
  const [nq = 0, headDim = 0] = q.shape.slice(-2);
  const nk = k.shape.at(-2) ?? 0;
  if (
    q.ndim < 2 ||
    !sameBatch ||
    v.shape.at(-2) !== nk ||
    k.shape.at(-3) !== (q.ndim >= 3 ? v.shape.at(-3) : k.shape.at(-3))
  )
    throw new ShapeError(`attention: q, k and v must be [..., H, N, D] with k and v of one length, got ${shapes}`);
  if (q.ndim >= 3 && heads % (k.shape.at(-3) ?? 1) !== 0)
    throw new ShapeError(`attention: the heads of k and v must divide those of q, got ${shapes}`);
  if (k.shape.at(-1) !== headDim)
    throw new ShapeError(`attention: q and k must share headDim, got ${headDim} and ${k.shape.at(-1)}`);
  const full = [...q.shape.slice(0, -1), nk];
  const broadcasts = (m: Tensor): boolean =>
    m.ndim <= full.length && m.shape.every((n, a) => n === 1 || n === full[full.length - m.ndim + a]);
  if (mask && !broadcasts(mask))
    throw new ShapeError(`attention: mask must broadcast to ${formatShape(full)}, got ${formatShape(mask.shape)}`);
  if (mask && mask.dtype !== "f32" && mask.dtype !== "bool")
    throw new DTypeError(`attention: mask must be f32 or bool, got ${mask.dtype}`);
  let scores = q.matmul(grouped(k, heads).transpose()).mul(scale ?? 1 / Math.sqrt(headDim));
  if (mask) scores = mask.dtype === "bool" ? where(mask, scores, -Infinity) : scores.add(mask);
  if (causal) {
    const future = arange(nk, { dtype: "i32" }).gt(arange(nq, { dtype: "i32" }).unsqueeze(1));
    scores = where(future, -Infinity, scores);
  }
  return softmax(scores).matmul(grouped(v, heads));
}
