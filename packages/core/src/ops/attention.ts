import { promote } from "../base/dtype.ts";
import { DTypeError, ShapeError } from "../base/errors.ts";
import { formatShape, sizeOf, type Shape } from "../base/shape.ts";
import { expectDType } from "../tensor/build.ts";
import { concat } from "../tensor/join.ts";
import { where, type Tensor } from "../tensor/tensor.ts";
import { attentionWeights, flashAttention, MAX_HEAD_DIM } from "./flash-attention.ts";

/** How `attention` weighs the keys. */
export interface AttentionOptions {
  /** Factor of the scores; 1/√D by default. */
  readonly scale?: number;
  /** Numbers added to the scores, or true where a query may attend; broadcasts to [..., H, Nq, Nk]. */
  readonly mask?: Tensor;
  /** Query i attends to keys 0 … i only. */
  readonly causal?: boolean;
  /**
   * Several sequences packed in one row: a query attends to the keys of its own segment. Ids, i32 or u32, of queries [..., Nq] and of keys
   * [..., Nk], whose leading axes broadcast to those before the heads; one tensor stands for both. Memory stays O(N), and blocks of keys without
   * a query's segment are skipped where ids are in order. `causal` counts positions of the row.
   */
  readonly segments?:
    | Tensor
    | {
        /** [..., Nq] */
        readonly queries: Tensor;
        /** [..., Nk] */
        readonly keys: Tensor;
      };
}

/** The ids of all queries, then of all keys, in one row. */
function segmentIds(
  segments: NonNullable<AttentionOptions["segments"]>,
  lead: Shape,
  lengths: readonly number[],
): Tensor {
  const both = "queries" in segments ? [segments.queries, segments.keys] : [segments, segments];
  return concat(
    both.map((ids, i) => {
      const shape = [...lead, lengths[i] ?? 0];
      const front = shape.length - ids.ndim;
      if (front < 0 || ids.shape.at(-1) !== lengths[i] || !ids.shape.every((n, a) => n === 1 || n === shape[front + a]))
        throw new ShapeError(
          `attention: segments of ${i === 0 ? "queries" : "keys"} must be ${formatShape(shape)}, got ${formatShape(ids.shape)}`,
        );
      if (ids.dtype !== "i32" && ids.dtype !== "u32")
        throw new DTypeError(`attention: segments must be i32 or u32, got ${ids.dtype}`);
      return ids
        .cast("u32")
        .expand(shape)
        .reshape([sizeOf(shape)]);
    }),
  );
}

/** Keys and values with their heads repeated to the queries' count: each serves a group of neighbouring heads. */
function grouped(x: Tensor, heads: number): Tensor {
  const own = x.shape.at(-3) ?? 1;
  return own === heads ? x : x.repeat(heads / own, -3);
}

/** [..., H, N, D] as [B, H, N, D]. */
function four(x: Tensor): Tensor {
  const [heads = 1, rows = 1, width = 1] = [1, ...x.shape].slice(-3);
  return x.reshape([sizeOf(x.shape.slice(0, -3)), heads, rows, width]);
}

/** A mask that broadcasts to [..., H, Nq, Nk] as [B, H, Nq, Nk], repeated by strides: at most its axes before the heads are copied. */
function fourMask(mask: Tensor, full: Shape): Tensor {
  const lead = full.slice(0, -3);
  const own = [1, 1, ...mask.shape].slice(-3);
  const one = mask.reshape([...mask.shape.slice(0, -3), ...own]).expand([...lead, ...own]);
  return four(one).expand([sizeOf(lead), ...[1, ...full].slice(-3)]);
}

/** [B, H, N, D] with zeros behind its features, up to a width: they change no product. */
const widened = (x: Tensor, width: number): Tensor =>
  x.pad(x.shape.map((n, axis): [number, number] => [0, axis === 3 ? width - n : 0]));

function checkShapes(q: Tensor, k: Tensor, v: Tensor): void {
  const shapes = [q, k, v].map((t) => formatShape(t.shape)).join(", ");
  const [heads, own, ofValues] = [q, k, v].map((t) => (t.ndim >= 3 ? (t.shape.at(-3) ?? 1) : 1));
  const sameBatch = [k, v].every(
    (t) => t.ndim === q.ndim && formatShape(t.shape.slice(0, -3)) === formatShape(q.shape.slice(0, -3)),
  );
  if (q.ndim < 2 || !sameBatch || v.shape.at(-2) !== k.shape.at(-2) || own !== ofValues)
    throw new ShapeError(`attention: q, k and v must be [..., H, N, D] with k and v of one length, got ${shapes}`);
  if ((heads ?? 1) % Math.max(1, own ?? 1) !== 0)
    throw new ShapeError(`attention: the heads of k and v must divide those of q, got ${shapes}`);
  if (k.shape.at(-1) !== q.shape.at(-1))
    throw new ShapeError(`attention: q and k must share headDim, got ${q.shape.at(-1)} and ${k.shape.at(-1)}`);
  for (const t of [q, k, v]) expectDType("attention", t.dtype, ["f32"]);
}

/**
 * softmax(scale · q·kᵀ + mask) · v, in memory that grows with N and not with N². (Gradients of a mask, and of gradients, take N²; so do heads
 * wider than 256.)
 *
 * @param q [..., H, Nq, D], or [Nq, D]
 * @param k [..., Hk, Nk, D] where Hk divides H
 * @param v [..., Hk, Nk, Dv]
 * @returns [..., H, Nq, Dv]; zeros for a query whose keys are all masked (at or below −1e38) or of other segments
 * @throws ShapeError when heads or sizes disagree; DTypeError unless all are floats (a mask may be bool; segments are whole numbers)
 * @see Dao et al. 2022, "FlashAttention"
 */
export function attention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  { scale, mask, causal = false, segments }: AttentionOptions = {},
): Tensor {
  checkShapes(q, k, v);
  const [queries = 0, headDim = 0] = q.shape.slice(-2);
  const full = [...q.shape.slice(0, -1), k.shape.at(-2) ?? 0];
  const broadcasts = (m: Tensor): boolean =>
    m.ndim <= full.length && m.shape.every((n, a) => n === 1 || n === full[full.length - m.ndim + a]);
  if (mask && !broadcasts(mask))
    throw new ShapeError(`attention: mask must broadcast to ${formatShape(full)}, got ${formatShape(mask.shape)}`);
  if (mask) expectDType("attention", mask.dtype, ["f32", "bool"]);
  const ids = segments && segmentIds(segments, q.shape.slice(0, -3), [queries, k.shape.at(-2) ?? 0]);
  const dtype = [k, v].reduce((meet, t) => promote("attention", meet, t.dtype), q.dtype);
  const [fq, own, values] = [four(q.cast("f32")), four(k.cast("f32")), four(v.cast("f32"))];
  const heads = fq.shape[1] ?? 1;
  const added = mask?.dtype === "bool" ? where(mask, 0, -Infinity) : mask?.cast("f32");
  const asked = {
    q: fq,
    k: grouped(own, heads),
    v: grouped(values, heads),
    mask: added && fourMask(added, full),
    ids,
    scale: scale ?? 1 / Math.sqrt(headDim),
    causal,
  };
  const dv = v.shape.at(-1) ?? 0;
  const width = Math.max(headDim, dv);
  const fits = sizeOf(full) > 0 && headDim > 0 && dv > 0 && width <= MAX_HEAD_DIM;
  const y = fits
    ? flashAttention({
        ...asked,
        q: widened(asked.q, width),
        k: widened(asked.k, width),
        v: widened(asked.v, width),
      }).slice(3, 0, dv)
    : attentionWeights(asked).matmul(asked.v);
  return y.reshape([...q.shape.slice(0, -2), queries, dv]).cast(dtype);
}
