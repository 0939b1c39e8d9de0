import { contiguousStrides, type Shape, sizeOf } from "../base/shape.ts";
import { isContiguous, type View } from "../base/view.ts";
import { grad } from "../autograd/grad.ts";
import { Node } from "../graph/node.ts";
import {
  attentionBackwardProgram,
  attentionForwardProgram,
  type AttentionSpec,
  type HeadRows,
} from "../kernels/attention.ts";
import { nextOpId, type KernelInput, type KernelOp, type Separation } from "../primitives/op.ts";
import * as structural from "../primitives/structural.ts";
import { arange } from "../tensor/create.ts";
import { Tensor, where } from "../tensor/tensor.ts";
import { softmax } from "./softmax.ts";

/** Widest head of the kernels. */
export const MAX_HEAD_DIM = 256;

const packed = (view: View): boolean => isContiguous(view) && view.offset === 0;
const isMask = ({ shape }: View): boolean => shape.length === 4;
const wholeRows = ({ shape, strides }: View): boolean => shape[3] === 1 || strides[3] === 1;

/** Rows of [B, H, N, D]. */
const rowsOf = ({ offset, strides: [batchStride = 0, headStride = 0, rowStride = 0] }: View): HeadRows => ({
  offset,
  batchStride,
  headStride,
  rowStride,
});

function specOf(
  [q, k, v]: readonly KernelInput[],
  mask: View | undefined,
  [scale = 1, causal = 0, segments = 0]: readonly number[],
): AttentionSpec {
  if (!q || !k || !v) throw new Error("attention: needs q, k and v");
  const [batch = 0, heads = 0, queries = 0, headDim = 0] = q.shape;
  const [b = 0, h = 0, n = 0, m = 0] = mask?.strides ?? [];
  return {
    batch,
    heads,
    queries,
    keys: k.shape[2] ?? 0,
    headDim,
    scale,
    q: rowsOf(q),
    k: rowsOf(k),
    v: rowsOf(v),
    causal: causal === 1,
    segments: segments === 1,
    ...(mask && { mask: { offset: mask.offset, strides: [b, h, n, m] as const } }),
  };
}

/** Scores and weighted sums; the backward pass has five such products instead of two. */
const flopsOf =
  (products: number): NonNullable<KernelOp["flops"]> =>
  ([q, k]) =>
    2 * products * sizeOf(q?.shape ?? []) * (k?.shape[2] ?? 0);

const heads = (x: Tensor): Tensor => x.permute([0, 2, 1, 3]);

/** Attention's inputs and attributes. */
interface Asked {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  readonly mask: Tensor | undefined;
  /** u32: those of all queries [B, Nq], then those of all keys [B, Nk], in one row. */
  readonly ids: Tensor | undefined;
  readonly scale: number;
  readonly causal: boolean;
}

/** All scores at once, in O(N²): what gradients of gradients and of masks are taken of. */
function attentionScores({ q, k, mask, ids, scale, causal }: Omit<Asked, "v">): Tensor {
  const scores = q.matmul(k.transpose()).mul(scale);
  const [batch = 0, , queries = 0, keys = 0] = scores.shape;
  let masked = mask ? scores.add(mask) : scores;
  if (ids) {
    const ofQueries = ids.slice(0, 0, batch * queries).reshape([batch, 1, queries, 1]);
    const ofKeys = ids.slice(0, batch * queries).reshape([batch, 1, 1, keys]);
    masked = where(ofQueries.eq(ofKeys), masked, -Infinity);
  }
  if (!causal) return masked;
  const future = arange(keys, { dtype: "i32" }).gt(arange(queries, { dtype: "i32" }).unsqueeze(1));
  return where(future, -Infinity, masked);
}

/** Scores at or below this are masked, as in the kernels. */
const MASKED = -1e38;

/** softmax of all scores at once; zeros for a query whose keys are all masked. */
export function attentionWeights(asked: Omit<Asked, "v">): Tensor {
  const scores = attentionScores(asked);
  if ((!asked.mask && !asked.ids) || scores.shape.at(-1) === 0) return softmax(scores);
  const blind = scores.max({ axis: -1, keepdim: true }).le(MASKED);
  return where(blind, 0, softmax(where(blind, 0, scores)));
}

/** What the op takes, and its attributes: the mask and the ids come last. */
const given = (asked: Asked, more: readonly Tensor[] = []): Tensor[] => [
  asked.q,
  asked.k,
  asked.v,
  ...more,
  ...(asked.mask ? [asked.mask] : []),
  ...(asked.ids ? [asked.ids] : []),
];
const attrsOf = ({ scale, causal, ids }: Asked): number[] => [scale, Number(causal), Number(ids !== undefined)];

/** The mask and the ids among inputs from `first` on. */
function maskAndIds<T>(
  inputs: readonly T[],
  first: number,
  [, , segments]: readonly number[],
): [T | undefined, T | undefined] {
  const rest = inputs.slice(first);
  const ids = segments === 1 ? rest.pop() : undefined;
  return [rest[0], ids];
}

/** Axes of batch, heads and rows of queries, in [B, H, N, D] and in [B, N, H, D]. */
const BATCH = { split: 0, packed: 0 };
const HEADS = { split: 1, packed: 2 };
const QUERIES = { split: 2, packed: 1 };

/** By clips, by heads, or by queries: ids lie in one row for all clips, and causal queries count from the first. */
function separations(
  ofAxis: (axis: typeof BATCH) => Separation,
  [, causal, segments]: readonly number[],
): readonly Separation[] {
  if (segments === 1) return [ofAxis(HEADS)];
  return causal === 1 ? [BATCH, HEADS].map(ofAxis) : [BATCH, HEADS, QUERIES].map(ofAxis);
}

/**
 * Attention in O(N) memory. Inputs: q, k, v [B, H, N, D], mask [B, H, Nq, Nk] or none, ids of segments or none; attrs: scale, causal, whether
 * there are ids. Outputs: o [B, Nq, H, D] and the
 * logarithms of the rows' sums of exponentials, [B, H, Nq].
 */
const forward: KernelOp = {
  id: nextOpId(),
  name: "attention",
  kind: "kernel",
  flops: flopsOf(2),
  outputs: ([q]) => {
    const [batch = 0, count = 0, queries = 0, headDim = 0] = q?.shape ?? [];
    return [
      { shape: [batch, queries, count, headDim], dtype: "f32" },
      { shape: [batch, count, queries], dtype: "f32" },
    ];
  },
  accepts: (view, input) => (input < 3 ? wholeRows(view) : isMask(view) || packed(view)),
  program: (inputs, attrs, traits) =>
    attentionForwardProgram(specOf(inputs, maskAndIds(inputs, 3, attrs)[0], attrs), traits),
  separable: (attrs, count) =>
    separations((axis) => {
      const ofKeys = axis === QUERIES ? null : axis.split;
      // the mask is cut as the queries are, ids are not
      const last = attrs[2] === 1 ? [null] : [];
      const mask = count - last.length > 3 ? [axis.split] : [];
      return { inputs: [axis.split, ofKeys, ofKeys, ...mask, ...last], outputs: [axis.packed, axis.split] };
    }, attrs),
  vjp: () => [],
  vjpMany: ([dO, dLse], inputs, [o, lse], attrs) => {
    const [q, k, v] = inputs;
    if (!q || !k || !v || !o || !lse) return [];
    const [scale = 1, causal = 0] = attrs;
    const [mask, ids] = maskAndIds(inputs, 3, attrs);
    const asked: Asked = { q, k, v, mask, ids, scale, causal: causal === 1 };
    const weights = (): Tensor => attentionScores(asked).sub(lse.unsqueeze(-1)).exp();
    const through = dO ? backward(asked, o, lse, dO) : null;
    const list = [through?.dq ?? null, through?.dk ?? null, through?.dv ?? null];
    const plus = (a: Tensor | null | undefined, b: Tensor): Tensor => (a ? a.add(b) : b);
    let dScores: Tensor | null = null;
    if (dLse) {
      // ∂lse/∂scores are the weights
      dScores = weights().mul(dLse.unsqueeze(-1));
      list[0] = plus(list[0], dScores.matmul(k).mul(scale));
      list[1] = plus(list[1], dScores.transpose().matmul(q).mul(scale));
    }
    if (!mask) return list;
    // lazy: computed only where the mask is learned, and then in O(N²)
    if (dO) {
      const dWeights = heads(dO).matmul(v.transpose());
      const mean = heads(dO.mul(o)).sum({ axis: -1, keepdim: true });
      dScores = plus(dScores, weights().mul(dWeights.sub(mean)));
    }
    return [...list, dScores];
  },
};

/** Inputs: q, k, v, o, lse, the gradient of o as [B, H, Nq, D], mask or none, ids or none. Outputs: dq, dk, dv, each [B, N, H, D]. */
const gradient: KernelOp = {
  id: nextOpId(),
  name: "attentionGrad",
  kind: "kernel",
  flops: flopsOf(5),
  outputs: ([q, k, v]) =>
    [q, k, v].map((x) => {
      const [batch = 0, count = 0, rows = 0, headDim = 0] = x?.shape ?? [];
      return { shape: [batch, rows, count, headDim], dtype: "f32" as const };
    }),
  accepts: (view, input) => {
    if (input < 3 || input === 5) return wholeRows(view);
    return (input > 5 && isMask(view)) || packed(view);
  },
  program: (inputs, attrs, traits) => {
    const [, , , , , dO] = inputs;
    if (!dO) throw new Error("attentionGrad: needs the gradient of o");
    const [mask] = maskAndIds(inputs, 6, attrs);
    return attentionBackwardProgram({ ...specOf(inputs, mask, attrs), dO: rowsOf(dO) }, traits);
  },
  separable: (attrs, count) =>
    separations((axis) => {
      const ofKeys = axis === QUERIES ? null : axis.split;
      const last = attrs[2] === 1 ? [null] : [];
      const mask = count - last.length > 6 ? [axis.split] : [];
      const keyGradient = axis === QUERIES ? "sum" : axis.packed;
      return {
        inputs: [axis.split, ofKeys, ofKeys, axis.packed, axis.split, axis.split, ...mask, ...last],
        outputs: [axis.packed, keyGradient, keyGradient],
      };
    }, attrs),
  vjp: () => [],
  // the gradients of a gradient are taken of the plain formula: second order is rare, and O(N²) there
  vjpMany: (dys, inputs, _, attrs) => {
    const [q, k, v, , , dO] = inputs;
    if (!q || !k || !v || !dO) return [];
    const [scale = 1, causal = 0] = attrs;
    const [mask, ids] = maskAndIds(inputs, 6, attrs);
    const weights = attentionWeights({ q, k, mask, ids, scale, causal: causal === 1 });
    const dWeights = dO.matmul(v.transpose());
    const dScores = weights.mul(dWeights.sub(dWeights.mul(weights).sum({ axis: -1, keepdim: true }))).mul(scale);
    const results = [dScores.matmul(k), dScores.transpose().matmul(q), weights.transpose().matmul(dO)];
    const along = dys.flatMap((dy, i) => {
      const result = results[i];
      return dy && result ? [heads(dy).mul(result).sum()] : [];
    });
    const [first, ...rest] = along;
    if (!first) return [];
    const total = rest.reduce((sum, x) => sum.add(x), first);
    const [dq, dk, dv, ddO, dMask] = grad(total, mask ? [q, k, v, dO, mask] : [q, k, v, dO]);
    return [dq ?? null, dk ?? null, dv ?? null, null, null, ddO ?? null, dMask ?? null];
  },
};

function outputsOf(op: KernelOp, inputs: readonly Tensor[], attrs: readonly number[]): Tensor[] {
  const views = inputs.map(({ shape, dtype }) => ({ shape, strides: contiguousStrides(shape), offset: 0, dtype }));
  const results = op.outputs(views, attrs);
  const shape: Shape = results[0]?.shape ?? [];
  const nodes = inputs.map((t) => t.node);
  const node = new Node(op, nodes, attrs, shape, "f32");
  return results.map((r, i) => new Tensor(new Node(structural.pick, [node], [i], r.shape, r.dtype)));
}

interface Gradients {
  readonly dq: Tensor | null;
  readonly dk: Tensor | null;
  readonly dv: Tensor | null;
}

function backward(asked: Asked, o: Tensor, lse: Tensor, dO: Tensor): Gradients {
  const inputs = given(asked, [o, lse, heads(dO)]);
  const [dq = null, dk = null, dv = null] = outputsOf(gradient, inputs, attrsOf(asked)).map(heads);
  return { dq, dk, dv };
}

/**
 * softmax(scale · q·kᵀ + mask) · v without ever holding the scores: [B, H, Nq, D]. Every size is at least 1; the mask is [B, H, Nq, Nk].
 */
export function flashAttention(asked: Asked): Tensor {
  const [o] = outputsOf(forward, given(asked), attrsOf(asked));
  if (!o) throw new Error("attention: has one output");
  return heads(o);
}
