import { ShapeError } from "../base/errors.ts";
import { expectShape, formatShape, normalizeAxis } from "../base/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** A per-channel vector shaped to broadcast along `axis` of an n-dimensional tensor. */
function along(vector: Tensor, axis: number, ndim: number): Tensor {
  return axis === ndim - 1 ? vector : vector.reshape([vector.size, ...new Array<number>(ndim - 1 - axis).fill(1)]);
}

/**
 * x / √(mean x² + ε) · weight along an axis.
 *
 * @param weight [size of the axis]
 * @see Zhang & Sennrich 2019, "Root Mean Square Layer Normalization", eq. 4
 */
export function rmsNorm(
  x: Tensor,
  weight?: Tensor | null,
  { axis = -1, eps = 1e-6 }: { axis?: number; eps?: number } = {},
): Tensor {
  const a = normalizeAxis("rmsNorm", axis, x.ndim);
  if (weight) expectShape("rmsNorm", "weight", weight.shape, [x.shape[a] ?? 0]);
  return affine(x.mul(x.square().mean({ axis: a, keepdim: true }).add(eps).rsqrt()), weight, null, a);
}

/** (x − mean) / √(variance + ε) over some axes, the variance in two passes. */
function standardised(x: Tensor, axis: number | readonly number[], eps: number): Tensor {
  const centred = x.sub(x.mean({ axis, keepdim: true }));
  return centred.mul(centred.square().mean({ axis, keepdim: true }).add(eps).rsqrt());
}

/** y · weight + bias, each [C], along an axis. */
function affine(y: Tensor, weight: Tensor | null | undefined, bias: Tensor | null | undefined, axis: number): Tensor {
  const scaled = weight ? y.mul(along(weight, axis, y.ndim)) : y;
  return bias ? scaled.add(along(bias, axis, y.ndim)) : scaled;
}

/**
 * (x − mean) / √(variance + ε) · weight + bias over the last axes.
 *
 * @param weight shaped as those axes; so is bias
 * @see Ba et al. 2016
 */
export function layerNorm(
  x: Tensor,
  weight?: Tensor | null,
  bias?: Tensor | null,
  { eps = 1e-5, axes = 1 }: { eps?: number; axes?: number } = {},
): Tensor {
  if (!Number.isInteger(axes) || axes < 1 || axes > x.ndim)
    throw new ShapeError(`layerNorm: axes must be in [1, ${x.ndim}], got ${axes}`);
  const shape = x.shape.slice(-axes);
  if (weight) expectShape("layerNorm", "weight", weight.shape, shape);
  if (bias) expectShape("layerNorm", "bias", bias.shape, shape);
  const y = standardised(
    x,
    shape.map((_, i) => x.ndim - axes + i),
    eps,
  );
  const scaled = weight ? y.mul(weight) : y;
  return bias ? scaled.add(bias) : scaled;
}

/**
 * Normalises each of `groups` groups of channels (axis 1) together with all positions.
 *
 * @param x [B, C, ...]
 * @throws ShapeError when the groups do not divide C
 * @see Wu & He 2018
 */
export function groupNorm(
  x: Tensor,
  groups: number,
  weight?: Tensor | null,
  bias?: Tensor | null,
  { eps = 1e-5 }: { eps?: number } = {},
): Tensor {
  const [batch = 0, channels = 0, ...rest] = x.shape;
  if (x.ndim < 2 || channels % groups !== 0)
    throw new ShapeError(
      `groupNorm: ${groups} groups must divide the channels of [B, C, ...], got ${formatShape(x.shape)}`,
    );
  if (weight) expectShape("groupNorm", "weight", weight.shape, [channels]);
  if (bias) expectShape("groupNorm", "bias", bias.shape, [channels]);
  const grouped = x.reshape([batch, groups, channels / groups, ...rest]);
  const axis = grouped.shape.map((_, i) => i).slice(2);
  return affine(standardised(grouped, axis, eps).reshape(x.shape), weight, bias, 1);
}

/**
 * Normalises each channel (axis 1) of each sample over its positions.
 *
 * @param x [B, C, ...]
 * @see Ulyanov et al. 2016
 */
export function instanceNorm(
  x: Tensor,
  weight?: Tensor | null,
  bias?: Tensor | null,
  { eps = 1e-5 }: { eps?: number } = {},
): Tensor {
  if (x.ndim < 3)
    throw new ShapeError(`instanceNorm: x must be [B, C, ...] with positions, got ${formatShape(x.shape)}`);
  for (const [name, vector] of [["weight", weight] as const, ["bias", bias] as const])
    if (vector) expectShape("instanceNorm", name, vector.shape, [x.shape[1] ?? 0]);
  const axis = x.shape.map((_, i) => i).slice(2);
  return affine(standardised(x, axis, eps), weight, bias, 1);
}

/** A batch's statistics of each channel, or ones kept from training. */
export interface BatchStatistics {
  /** [C] */
  readonly mean: Tensor;
  /** [C], divided by n */
  readonly variance: Tensor;
}

/** Mean and variance of each channel (axis 1) over batch and positions. */
export function batchStatistics(x: Tensor): BatchStatistics {
  const axis = x.shape.map((_, i) => i).filter((i) => i !== 1);
  return { mean: x.mean({ axis }), variance: x.variance({ axis }) };
}

/**
 * Normalises each channel (axis 1) with the batch's own statistics or with given ones.
 *
 * @param x [B, C, ...]
 * @see Ioffe & Szegedy 2015
 */
export function batchNorm(
  x: Tensor,
  statistics: BatchStatistics | null,
  weight?: Tensor | null,
  bias?: Tensor | null,
  { eps = 1e-5 }: { eps?: number } = {},
): Tensor {
  if (x.ndim < 2) throw new ShapeError(`batchNorm: x must be [B, C, ...], got ${formatShape(x.shape)}`);
  const vectors = { weight, bias, mean: statistics?.mean, variance: statistics?.variance };
  for (const [name, vector] of Object.entries(vectors))
    if (vector) expectShape("batchNorm", name, vector.shape, [x.shape[1] ?? 0]);
  const axis = x.shape.map((_, i) => i).filter((i) => i !== 1);
  const y = statistics
    ? x.sub(along(statistics.mean, 1, x.ndim)).mul(along(statistics.variance.add(eps).rsqrt(), 1, x.ndim))
    : standardised(x, axis, eps);
  return affine(y, weight, bias, 1);
}

/**
 * x / (k + α·m)^β, where m is the mean of x² over `size` neighbouring channels (axis 1), zeros outside.
 *
 * @param x [B, C, ...]
 * @throws ShapeError unless size is a whole number of at least 1
 * @see Krizhevsky et al. 2012, section 3.3
 */
export function localResponseNorm(
  x: Tensor,
  size: number,
  { alpha = 1e-4, beta = 0.75, k = 1 }: { alpha?: number; beta?: number; k?: number } = {},
): Tensor {
  if (x.ndim < 2 || !Number.isInteger(size) || size < 1)
    throw new ShapeError(
      `localResponseNorm: needs x [B, C, ...] and a size of at least 1, got ${formatShape(x.shape)} and ${size}`,
    );
  const channels = x.shape[1] ?? 0;
  const before = Math.floor(size / 2);
  const padded = x
    .square()
    .pad(x.shape.map((_, a): [number, number] => (a === 1 ? [before, size - 1 - before] : [0, 0])));
  let sum = padded.slice(1, 0, channels);
  for (let i = 1; i < size; i++) sum = sum.add(padded.slice(1, i, i + channels));
  return x.div(
    sum
      .mul(alpha / size)
      .add(k)
      .pow(beta),
  );
}
