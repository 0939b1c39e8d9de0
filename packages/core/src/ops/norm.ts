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
  const y = x.mul(x.square().mean({ axis: a, keepdim: true }).add(eps).rsqrt());
  return weight ? y.mul(along(weight, a, x.ndim)) : y;
}

/** (x − mean) / √(variance + ε) · weight + bias over the last axis. @see Ba et al. 2016 */
export function layerNorm(
  x: Tensor,
  weight?: Tensor | null,
  bias?: Tensor | null,
  { eps = 1e-5 }: { eps?: number } = {},
): Tensor {
  const width = x.shape.at(-1) ?? 0;
  if (weight) expectShape("layerNorm", "weight", weight.shape, [width]);
  if (bias) expectShape("layerNorm", "bias", bias.shape, [width]);
  const centred = x.sub(x.mean({ axis: -1, keepdim: true }));
  let y = centred.mul(centred.square().mean({ axis: -1, keepdim: true }).add(eps).rsqrt());
  if (weight) y = y.mul(weight);
  return bias ? y.add(bias) : y;
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
  const centred = grouped.sub(grouped.mean({ axis, keepdim: true }));
  let y = centred.mul(centred.square().mean({ axis, keepdim: true }).add(eps).rsqrt()).reshape(x.shape);
  if (weight) y = y.mul(along(weight, 1, x.ndim));
  return bias ? y.add(along(bias, 1, x.ndim)) : y;
}
