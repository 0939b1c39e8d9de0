import { normalizeAxis } from "../base/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** x − max x, which no gradient passes through the maximum of; an empty axis has none and stays as it is. */
function shifted(op: string, x: Tensor, axis: number): Tensor {
  if (x.shape[normalizeAxis(op, axis, x.ndim)] === 0) return x;
  return x.sub(x.max({ axis, keepdim: true }).detach());
}

/** exp(x − max x) / Σ exp(x − max x) along an axis (the last by default). */
export function softmax(x: Tensor, { axis = -1 }: { axis?: number } = {}): Tensor {
  const e = shifted("softmax", x, axis).exp();
  return e.div(e.sum({ axis, keepdim: true }));
}

/** log softmax, without ever taking the logarithm of a rounded zero. */
export function logSoftmax(x: Tensor, { axis = -1 }: { axis?: number } = {}): Tensor {
  const y = shifted("logSoftmax", x, axis);
  return y.sub(y.exp().sum({ axis, keepdim: true }).log());
}
