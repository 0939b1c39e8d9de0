import { ShapeError } from "../base/errors.ts";
import { formatShape } from "../base/shape.ts";
import { where, type Tensor } from "../tensor/tensor.ts";
import { elu, relu6 } from "./activations.ts";

/** A line from 0 at −3 to 1 at 3, in place of the sigmoid. */
export const hardsigmoid = (x: Tensor): Tensor => relu6(x.add(3)).mul(1 / 6);

/** x·hardsigmoid(x). @see Howard et al. 2019 */
export const hardswish = (x: Tensor): Tensor => x.mul(hardsigmoid(x));

/** x, or 0 within ±lambda. */
export const hardshrink = (x: Tensor, lambda = 0.5): Tensor => where(x.abs().le(lambda), 0, x);

/** x nearer to 0 by lambda, or 0 within ±lambda. */
export const softshrink = (x: Tensor, lambda = 0.5): Tensor =>
  where(x.gt(lambda), x.sub(lambda), where(x.ge(-lambda), 0, x.add(lambda)));

/** x − tanh x */
export const tanhshrink = (x: Tensor): Tensor => x.sub(x.tanh());

/** x / (1 + |x|) */
export const softsign = (x: Tensor): Tensor => x.div(x.abs().add(1));

/** x above the threshold, `value` elsewhere. */
export const threshold = (x: Tensor, limit: number, value: number): Tensor => where(x.le(limit), value, x);

/** x, or α(e^{x/α} − 1) where negative. @see Barron 2017 */
export const celu = (x: Tensor, alpha = 1): Tensor => elu(x.mul(1 / alpha)).mul(alpha);

/** An ELU scaled so that deep stacks keep mean 0 and variance 1. @see Klambauer et al. 2017 */
export const selu = (x: Tensor): Tensor => elu(x, 1.6732632423543772).mul(1.0507009873554805);

/**
 * x, or weight·x where negative; the weight is learned.
 *
 * @param weight one number, or one a channel [C] of x [B, C, …]
 * @see He et al. 2015
 */
export function prelu(x: Tensor, weight: Tensor): Tensor {
  const channels = x.ndim > 1 ? (x.shape[1] ?? 1) : 1;
  if (weight.ndim > 1 || (weight.size !== 1 && weight.size !== channels))
    throw new ShapeError(
      `prelu: weight must be one number or [${channels}], got ${formatShape(weight.shape)} for x ${formatShape(x.shape)}`,
    );
  const slope =
    weight.size === 1 ? weight.reshape([]) : weight.reshape([channels, ...new Array<number>(x.ndim - 2).fill(1)]);
  return where(x.gt(0), x, x.mul(slope));
}
