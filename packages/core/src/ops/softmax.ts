import type { Tensor } from "../tensor/tensor.ts";

/** exp(x − max x) / Σ exp(x − max x) along an axis (the last by default). */
export function softmax(x: Tensor, { axis = -1 }: { axis?: number } = {}): Tensor {
  const e = x.sub(x.max({ axis, keepdim: true }).detach()).exp();
  return e.div(e.sum({ axis, keepdim: true }));
}

/** log softmax, without ever taking the logarithm of a rounded zero. */
export function logSoftmax(x: Tensor, { axis = -1 }: { axis?: number } = {}): Tensor {
  const shifted = x.sub(x.max({ axis, keepdim: true }).detach());
  return shifted.sub(shifted.exp().sum({ axis, keepdim: true }).log());
}
