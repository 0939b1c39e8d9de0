import { type Tensor, where } from "../tensor/tensor.ts";
import { logSigmoid } from "./activations.ts";
import { cosineSimilarity, expectSameShape, type LossOptions, pairwiseDistance, reduced } from "./losses.ts";

/** Losses that rest once a margin is kept. Labels are 1 and −1, f32. */
export interface MarginOptions extends LossOptions {
  /** Distance or difference from which on a pair costs nothing. */
  readonly margin?: number;
}

/** max(0, x), 0 where x is not above it. */
const above = (x: Tensor): Tensor => x.relu();

/** Distances x of pairs: x of label 1, max(0, margin − x) of −1. */
export function hingeEmbeddingLoss(x: Tensor, label: Tensor, { margin = 1, ...options }: MarginOptions = {}): Tensor {
  expectSameShape("hingeEmbeddingLoss", x, label);
  return reduced(where(label.gt(0), x, above(x.neg().add(margin))), options);
}

/** max(0, margin − y·(a − b)): a before b for label 1, behind it for −1. */
export function marginRankingLoss(
  a: Tensor,
  b: Tensor,
  label: Tensor,
  { margin = 0, ...options }: MarginOptions = {},
): Tensor {
  expectSameShape("marginRankingLoss", a, b);
  return reduced(above(label.mul(b.sub(a)).add(margin)), options);
}

/** log(1 + e^{−y·x}) */
export function softMarginLoss(x: Tensor, label: Tensor, options: LossOptions = {}): Tensor {
  expectSameShape("softMarginLoss", x, label);
  return reduced(logSigmoid(x.mul(label)).neg(), options);
}

/**
 * max(0, ‖anchor − positive‖ − ‖anchor − negative‖ + margin), norms of the last axis as in `pairwiseDistance`.
 *
 * @see Schroff et al. 2015
 */
export function tripletMarginLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  { margin = 1, p = 2, eps = 1e-6, ...options }: MarginOptions & { p?: number; eps?: number } = {},
): Tensor {
  const near = pairwiseDistance(anchor, positive, { p, eps });
  return reduced(above(near.sub(pairwiseDistance(anchor, negative, { p, eps })).add(margin)), options);
}

/** 1 − cos of label 1, max(0, cos − margin) of −1; cosines along the last axis. */
export function cosineEmbeddingLoss(
  a: Tensor,
  b: Tensor,
  label: Tensor,
  { margin = 0, ...options }: MarginOptions = {},
): Tensor {
  expectSameShape("cosineEmbeddingLoss", a, b);
  const cosine = cosineSimilarity(a, b, { axis: -1 });
  return reduced(where(label.gt(0), cosine.neg().add(1), above(cosine.sub(margin))), options);
}
