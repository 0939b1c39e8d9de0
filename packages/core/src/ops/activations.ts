import { ShapeError } from "../base/errors.ts";
import { formatShape, normalizeAxis } from "../base/shape.ts";
import { where, type Tensor } from "../tensor/tensor.ts";

/** log σ(x) = min(x, 0) − log(1 + e^−|x|), which neither overflows nor rounds to −∞. */
export function logSigmoid(x: Tensor): Tensor {
  const negative = x.lt(0);
  // −|x|, with a slope at 0
  const below = where(negative, x, x.neg());
  return where(negative, x, 0).sub(below.exp().log1p());
}

/** log(1 + e^{βx}) / β; above the threshold βx, from which on it is x. */
export function softplus(x: Tensor, { beta = 1, threshold = 20 }: { beta?: number; threshold?: number } = {}): Tensor {
  const scaled = x.mul(beta);
  const linear = scaled.gt(threshold);
  return where(
    linear,
    x,
    where(linear, 0, scaled)
      .exp()
      .log1p()
      .mul(1 / beta),
  );
}

/** x·tanh(softplus(x)). @see Misra 2019 */
export const mish = (x: Tensor): Tensor => x.mul(softplus(x).tanh());

/** x·σ(1.702x), the GELU of the CLIP models. */
export const quickGelu = (x: Tensor): Tensor => x.mul(x.mul(1.702).sigmoid());

/** x within [0, 6]. */
export const relu6 = (x: Tensor): Tensor => hardtanh(x, 0, 6);

/** x within [min, max]; no slope at the ends. */
export function hardtanh(x: Tensor, min = -1, max = 1): Tensor {
  return where(x.le(min), min, where(x.ge(max), max, x));
}

/** x, or slope·x where negative. */
export const leakyRelu = (x: Tensor, slope = 0.01): Tensor => where(x.gt(0), x, x.mul(slope));

/** x, or α(e^x − 1) where negative. @see Clevert et al. 2015 */
export function elu(x: Tensor, alpha = 1): Tensor {
  const positive = x.gt(0);
  return where(positive, x, where(positive, 0, x).expm1().mul(alpha));
}

/** a·σ(b) of an axis' two halves. @see Dauphin et al. 2017 */
export function glu(x: Tensor, axis = -1): Tensor {
  const a = normalizeAxis("glu", axis, x.ndim);
  const n = x.shape[a] ?? 0;
  if (n % 2 !== 0) throw new ShapeError(`glu: axis ${axis} must be even, got shape ${formatShape(x.shape)}`);
  return x.slice(a, 0, n / 2).mul(x.slice(a, n / 2).sigmoid());
}

/** Finite numbers instead of NaN and infinities. */
export function nanToNum(
  x: Tensor,
  {
    nan = 0,
    posinf = 3.4028234663852886e38,
    neginf = -3.4028234663852886e38,
  }: { nan?: number; posinf?: number; neginf?: number } = {},
): Tensor {
  return where(x.isNan(), nan, where(x.isInf(), where(x.gt(0), posinf, where(x.lt(0), neginf, x)), x));
}
