import { isFloat } from "../base/dtype.ts";
import { ShapeError } from "../base/errors.ts";
import { formatShape, normalizeAxis, sameShape } from "../base/shape.ts";
import { arange } from "../tensor/create.ts";
import { where, type Tensor } from "../tensor/tensor.ts";
import { logSigmoid } from "./activations.ts";
import { norm } from "./reductions.ts";
import { logSoftmax } from "./softmax.ts";

/** What becomes of the losses of single elements: their mean, their sum, or nothing. */
export type Reduction = "mean" | "sum" | "none";
/** What every loss takes. */
export interface LossOptions {
  /** What becomes of the elements' losses; their mean by default. */
  readonly reduction?: Reduction;
}

/** @internal */
export function reduced(losses: Tensor, { reduction = "mean" }: LossOptions): Tensor {
  if (reduction === "none") return losses;
  return reduction === "sum" ? losses.sum() : losses.mean();
}

/** @internal */
export function expectSameShape(op: string, a: Tensor, b: Tensor): void {
  if (!sameShape(a.shape, b.shape))
    throw new ShapeError(`${op}: shapes must agree, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`);
}

/** (a − b)² */
export function mseLoss(a: Tensor, b: Tensor, options: LossOptions = {}): Tensor {
  expectSameShape("mseLoss", a, b);
  return reduced(a.sub(b).square(), options);
}

/** |a − b| */
export function l1Loss(a: Tensor, b: Tensor, options: LossOptions = {}): Tensor {
  expectSameShape("l1Loss", a, b);
  return reduced(a.sub(b).abs(), options);
}

/** d²/2 within ±delta, beyond it delta·(|d| − delta/2): quadratic, then linear. @see Huber 1964 */
export function huberLoss(
  a: Tensor,
  b: Tensor,
  { delta = 1, ...options }: LossOptions & { delta?: number } = {},
): Tensor {
  expectSameShape("huberLoss", a, b);
  const d = a.sub(b);
  const size = d.abs();
  return reduced(where(size.lt(delta), d.square().mul(0.5), size.sub(delta / 2).mul(delta)), options);
}

/** The Huber loss divided by beta: d²/(2·beta) within ±beta, beyond it |d| − beta/2. @see Girshick 2015 */
export function smoothL1Loss(
  a: Tensor,
  b: Tensor,
  { beta = 1, ...options }: LossOptions & { beta?: number } = {},
): Tensor {
  expectSameShape("smoothL1Loss", a, b);
  if (beta === 0) return l1Loss(a, b, options);
  return huberLoss(a, b, { ...options, delta: beta }).mul(1 / beta);
}

/** −y·log σ(x) − (1 − y)·log(1 − σ(x)), without overflow. */
export function bceWithLogits(logits: Tensor, targets: Tensor, options: LossOptions = {}): Tensor {
  expectSameShape("bceWithLogits", logits, targets);
  return reduced(logits.sub(logits.mul(targets)).sub(logSigmoid(logits)), options);
}

/** p·(log p − log q) of log probabilities log q and probabilities p; 0·log 0 = 0. */
export function klDivergence(logQ: Tensor, p: Tensor, options: LossOptions = {}): Tensor {
  expectSameShape("klDivergence", logQ, p);
  const positive = p.gt(0);
  const entropy = where(positive, p.mul(where(positive, p, 1).log()), 0);
  return reduced(entropy.sub(p.mul(logQ)), options);
}

/** What losses over classes take. */
export interface ClassLossOptions extends LossOptions {
  /** Targets of this id are left out, of the mean too. */
  readonly ignoreIndex?: number;
  /** A factor for each class [C]; the mean is weighted by it. */
  readonly weight?: Tensor | null;
}

/** Classes along axis 1 as the last axis. */
const classesLast = (x: Tensor): Tensor => (x.ndim === 1 ? x : x.permute([0, ...x.shape.map((_, i) => i).slice(2), 1]));

/** What each class of each place counts: 1 at the target, 0 elsewhere and where the target is ignored. */
function chosenClasses(
  op: string,
  scores: Tensor,
  ids: Tensor,
  ignoreIndex: number,
): { chosen: Tensor; valid: Tensor } {
  const classes = scores.shape.at(-1) ?? 0;
  if (!sameShape(scores.shape.slice(0, -1), ids.shape))
    throw new ShapeError(
      `${op}: scores [N, C, …] and ids [N, …] must agree, got ${formatShape(scores.shape)} (classes last) and ${formatShape(ids.shape)}`,
    );
  const valid = ids.ne(ignoreIndex);
  const chosen = arange(classes, { dtype: ids.dtype }).eq(ids.unsqueeze(-1)).and(valid.unsqueeze(-1));
  return { chosen: chosen.cast("f32"), valid: valid.cast("f32") };
}

/** Negative log likelihoods of classes, given log probabilities [N, C, …] and ids i32 [N, …]. */
export function nllLoss(
  logProbabilities: Tensor,
  ids: Tensor,
  { ignoreIndex = -100, weight, reduction = "mean" }: ClassLossOptions = {},
): Tensor {
  const scores = classesLast(logProbabilities);
  const { chosen } = chosenClasses("nllLoss", scores, ids, ignoreIndex);
  const weights = weight ? chosen.mul(weight) : chosen;
  // where, not a product: an impossible class that is not the target does not count
  const losses = where(chosen.ne(0), scores.mul(weights), 0).sum({ axis: -1 }).neg();
  if (reduction !== "mean") return reduced(losses, { reduction });
  return losses.sum().div(weights.sum());
}

/**
 * Negative log likelihood of classes under softmax.
 *
 * @param logits [N, C, …]
 * @param target i32 ids [N, …], or probabilities shaped as the logits
 */
export function crossEntropy(
  logits: Tensor,
  target: Tensor,
  {
    ignoreIndex = -100,
    weight,
    labelSmoothing = 0,
    reduction = "mean",
  }: ClassLossOptions & { labelSmoothing?: number } = {},
): Tensor {
  const scores = classesLast(logits);
  const classes = scores.shape.at(-1) ?? 0;
  const logP = logSoftmax(scores);
  if (isFloat(target.dtype)) {
    expectSameShape("crossEntropy", logits, target);
    const smooth = classesLast(target)
      .mul(1 - labelSmoothing)
      .add(labelSmoothing / classes);
    const losses = logP
      .mul(weight ? smooth.mul(weight) : smooth)
      .sum({ axis: -1 })
      .neg();
    return reduced(losses, { reduction });
  }
  const { chosen, valid } = chosenClasses("crossEntropy", scores, target, ignoreIndex);
  const picked = weight ? chosen.mul(weight) : chosen;
  // where, not a product: an impossible class that is not the target does not count
  const hard = where(chosen.ne(0), logP.mul(picked), 0).sum({ axis: -1 }).neg();
  let losses = hard;
  if (labelSmoothing > 0) {
    const even = (weight ? logP.mul(weight) : logP).sum({ axis: -1 }).neg().mul(valid);
    losses = hard.mul(1 - labelSmoothing).add(even.mul(labelSmoothing / classes));
  }
  if (reduction !== "mean") return reduced(losses, { reduction });
  return losses.sum().div(picked.sum());
}

/** a·b / (max(‖a‖, ε)·max(‖b‖, ε)) along an axis. */
export function cosineSimilarity(
  a: Tensor,
  b: Tensor,
  { axis = 1, eps = 1e-8 }: { axis?: number; eps?: number } = {},
): Tensor {
  const at = normalizeAxis("cosineSimilarity", axis, Math.max(a.ndim, b.ndim));
  const length = (x: Tensor): Tensor => norm(x, { axis: at }).clamp(eps);
  return a
    .mul(b)
    .sum({ axis: at })
    .div(length(a).mul(length(b)));
}

/** ‖a − b + ε‖ of the last axis. */
export const pairwiseDistance = (
  a: Tensor,
  b: Tensor,
  { p = 2, eps = 1e-6 }: { p?: number; eps?: number } = {},
): Tensor => norm(a.sub(b).add(eps), { p, axis: -1 });

/** ‖a_i − b_j‖ of all pairs of rows: [..., n, d] and [..., m, d] to [..., n, m]; no slope at distance 0. */
export function cdist(a: Tensor, b: Tensor, { p = 2 }: { p?: number } = {}): Tensor {
  if (a.ndim < 2 || b.ndim < 2 || a.shape.at(-1) !== b.shape.at(-1))
    throw new ShapeError(
      `cdist: rows [..., n, d] and [..., m, d] must share d, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  return norm(a.unsqueeze(-2).sub(b.unsqueeze(-3)), { p, axis: -1 });
}
