import { type Tensor, where } from "../tensor/tensor.ts";
import { expectSameShape, type LossOptions, reduced } from "./losses.ts";

/** log x, and at 0 the −100 that PyTorch has there, without a slope. */
function boundedLog(x: Tensor): Tensor {
  const zero = x.eq(0);
  return where(zero, -100, where(zero, 1, x).log());
}

/** −y·log p − (1 − y)·log(1 − p) of probabilities. `bceWithLogits` is more accurate. */
export function bceLoss(p: Tensor, targets: Tensor, options: LossOptions = {}): Tensor {
  expectSameShape("bceLoss", p, targets);
  const [hit, miss] = [boundedLog(p), boundedLog(p.neg().add(1))];
  return reduced(miss.neg().sub(targets.mul(hit.sub(miss))), options);
}

/** e^x − y·x of log rates x, or x − y·log(x + ε) of rates: the negative log likelihood of counts, without log y!. */
export function poissonNllLoss(
  x: Tensor,
  targets: Tensor,
  { logInput = true, eps = 1e-8, ...options }: LossOptions & { logInput?: boolean; eps?: number } = {},
): Tensor {
  expectSameShape("poissonNllLoss", x, targets);
  return reduced(logInput ? x.exp().sub(targets.mul(x)) : x.sub(targets.mul(x.add(eps).log())), options);
}

/** ½ (log v + (x − y)²/v), v = max(variance, ε): the negative log likelihood of normal targets, without its constant. */
export function gaussianNllLoss(
  x: Tensor,
  targets: Tensor,
  variance: Tensor,
  { eps = 1e-6, ...options }: LossOptions & { eps?: number } = {},
): Tensor {
  expectSameShape("gaussianNllLoss", x, targets);
  const v = variance.clamp(eps);
  return reduced(x.sub(targets).square().div(v).add(v.log()).mul(0.5), options);
}
