import { conv1d, conv2d, conv3d, type ConvOptions } from "../ops/conv.ts";
import { embedding } from "../ops/embedding.ts";
import { int8Linear } from "../ops/int8.ts";
import { linear } from "../ops/linear.ts";
import { groupNorm, instanceNorm, layerNorm, rmsNorm } from "../ops/norm.ts";
import { Rng } from "../tensor/random.ts";
import { arange, ones, zeros } from "../tensor/create.ts";
import { where, type Tensor } from "../tensor/tensor.ts";
import type { Initializer } from "./init.ts";
import { Module } from "./module.ts";

/** "default" draws as PyTorch does: uniform in ±1/√fanIn. An initialiser of init.ts is for the weight; the bias is then zeros. */
export type Init = "default" | "zeros" | Initializer;

/** What layers with a weight take. */
export interface LayerOptions {
  /** Add a bias (true by default). */
  readonly bias?: boolean;
  /** Draws the first values; a generator of seed 0 by default, so layers that should differ share one. */
  readonly rng?: Rng;
  /** "default" by default. */
  readonly init?: Init;
}

/** First values of a layer's weight or bias. */
export function initial(
  shape: readonly number[],
  fanIn: number,
  { rng = new Rng(0), init = "default" }: LayerOptions,
): Tensor {
  if (init === "zeros" || (init !== "default" && shape.length < 2)) return zeros(shape);
  if (init !== "default") return init(shape, rng);
  const bound = 1 / Math.sqrt(Math.max(1, fanIn));
  return rng.uniform(shape, -bound, bound);
}

/** y = x·Wᵀ + b over the last axis. */
export class Linear extends Module {
  /** [out, inner]; after `quantizeLinear` u32 [out, ⌈inner / 4⌉], four 8-bit whole numbers a word. */
  weight: Tensor;
  /** [out], null without one. */
  readonly bias: Tensor | null;
  /** [out], the factors of 8-bit rows; null of other weights. */
  scale: Tensor | null = null;

  constructor(inner: number, out: number, options: LayerOptions = {}) {
    super();
    this.weight = initial([out, inner], inner, options);
    this.bias = options.bias === false ? null : initial([out], inner, options);
  }
  /** [..., inner] → [..., out] */
  forward(x: Tensor): Tensor {
    const { weight, scale, bias } = this;
    return scale ? int8Linear(x, { values: weight, scale }, bias) : linear(x, weight, bias);
  }
}

/** What layers of convolution take: first values, and the geometry. */
export interface ConvLayerOptions extends LayerOptions, ConvOptions {}

/** One size an axis. */
export const sizes = (n: number | readonly number[], rank: number): readonly number[] =>
  typeof n === "number" ? new Array<number>(rank).fill(n) : n;

abstract class Conv extends Module {
  /** [out, inner/groups, ...kernel] */
  readonly weight: Tensor;
  /** [out], null without one. */
  readonly bias: Tensor | null;
  readonly #options: ConvOptions;

  constructor(inner: number, out: number, kernel: readonly number[], options: ConvLayerOptions) {
    super();
    const groups = options.groups ?? 1;
    const fanIn = kernel.reduce((n, k) => n * k, inner / groups);
    this.weight = initial([out, inner / groups, ...kernel], fanIn, options);
    this.bias = options.bias === false ? null : initial([out], fanIn, options);
    this.#options = options;
  }
  /** @internal */
  protected get convOptions(): ConvOptions {
    return this.#options;
  }
}

/** Convolution over [B, C, L]. */
export class Conv1d extends Conv {
  constructor(inner: number, out: number, kernel: number, options: ConvLayerOptions = {}) {
    super(inner, out, [kernel], options);
  }
  /** [B, inner, L] → [B, out, L'] */
  forward(x: Tensor): Tensor {
    return conv1d(x, this.weight, this.bias, this.convOptions);
  }
}
/** Convolution over [B, C, H, W]. */
export class Conv2d extends Conv {
  constructor(inner: number, out: number, kernel: number | readonly number[], options: ConvLayerOptions = {}) {
    super(inner, out, sizes(kernel, 2), options);
  }
  /** [B, inner, H, W] → [B, out, H', W'] */
  forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.bias, this.convOptions);
  }
}
/** Convolution over [B, C, T, H, W]. */
export class Conv3d extends Conv {
  constructor(inner: number, out: number, kernel: number | readonly number[], options: ConvLayerOptions = {}) {
    super(inner, out, sizes(kernel, 3), options);
  }
  /** [B, inner, T, H, W] → [B, out, T', H', W'] */
  forward(x: Tensor): Tensor {
    return conv3d(x, this.weight, this.bias, this.convOptions);
  }
}

/** x / √(mean x² + ε) · weight over one axis, the last by default. @see Zhang & Sennrich 2019 */
export class RMSNorm extends Module {
  /** [dim], ones at first. */
  readonly weight: Tensor;
  readonly #options: { readonly axis: number; readonly eps: number };

  constructor(dim: number, { eps = 1e-6, axis = -1 }: { eps?: number; axis?: number } = {}) {
    super();
    this.weight = ones([dim]);
    this.#options = { axis, eps };
  }
  /** Normalises; the shape stays. */
  forward(x: Tensor): Tensor {
    return rmsNorm(x, this.weight, this.#options);
  }
}

/** Over the last axis, or over the last axes of a shape. */
export class LayerNorm extends Module {
  /** Shaped as the axes, ones at first. */
  readonly weight: Tensor;
  /** Shaped as the axes, zeros at first. */
  readonly bias: Tensor;
  readonly #options: { readonly eps: number; readonly axes: number };

  constructor(dim: number | readonly number[], { eps = 1e-5 }: { eps?: number } = {}) {
    super();
    const shape = typeof dim === "number" ? [dim] : dim;
    this.weight = ones(shape);
    this.bias = zeros(shape);
    this.#options = { eps, axes: shape.length };
  }
  /** Normalises; the shape stays. @throws ShapeError unless the last axes are the layer's */
  forward(x: Tensor): Tensor {
    return layerNorm(x, this.weight, this.bias, this.#options);
  }
}

/** Normalises each of `groups` groups of channels of [B, C, ...] together with all positions. @see Wu & He 2018 */
export class GroupNorm extends Module {
  /** [C], ones at first. */
  readonly weight: Tensor;
  /** [C], zeros at first. */
  readonly bias: Tensor;
  readonly #groups: number;
  readonly #eps: number;

  constructor(groups: number, dim: number, { eps = 1e-5 }: { eps?: number } = {}) {
    super();
    this.weight = ones([dim]);
    this.bias = zeros([dim]);
    this.#groups = groups;
    this.#eps = eps;
  }
  /** Normalises [B, C, ...]; the shape stays. */
  forward(x: Tensor): Tensor {
    return groupNorm(x, this.#groups, this.weight, this.bias, { eps: this.#eps });
  }
}

/** Normalises each channel of each sample of [B, C, ...] over its positions; no parameters unless `affine`, as in PyTorch. */
export class InstanceNorm extends Module {
  /** [C], ones at first; null unless `affine`. */
  readonly weight: Tensor | null;
  /** [C], zeros at first; null unless `affine`. */
  readonly bias: Tensor | null;
  readonly #eps: number;

  constructor(dim: number, { eps = 1e-5, affine = false }: { eps?: number; affine?: boolean } = {}) {
    super();
    this.weight = affine ? ones([dim]) : null;
    this.bias = affine ? zeros([dim]) : null;
    this.#eps = eps;
  }
  /** Normalises [B, C, ...]; the shape stays. */
  forward(x: Tensor): Tensor {
    return instanceNorm(x, this.weight, this.bias, { eps: this.#eps });
  }
}

/** A table of vectors, drawn from a standard normal. */
export class Embedding extends Module {
  /** [count, dim] */
  readonly weight: Tensor;
  readonly #padding: number | null;

  /** @param options.padding an id whose vector starts as zeros and takes no gradient */
  constructor(
    count: number,
    dim: number,
    { rng = new Rng(0), padding = null }: { rng?: Rng; padding?: number | null } = {},
  ) {
    super();
    const drawn = rng.normal([count, dim]);
    const padded = arange(count, { dtype: "i32" })
      .ne(padding ?? -1)
      .unsqueeze(1);
    this.weight = padding === null ? drawn : where(padded, drawn, 0);
    this.#padding = padding;
  }
  /** The vectors of ids, i32 of any shape: [...ids] → [...ids, dim]. */
  forward(ids: Tensor): Tensor {
    const vectors = embedding(this.weight, ids);
    return this.#padding === null ? vectors : where(ids.ne(this.#padding).unsqueeze(-1), vectors, vectors.detach());
  }
}
