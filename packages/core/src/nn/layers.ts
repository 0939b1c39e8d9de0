import { conv1d, conv2d, conv3d, type ConvOptions } from "../ops/conv.ts";
import { embedding } from "../ops/embedding.ts";
import { linear } from "../ops/linear.ts";
import { groupNorm, layerNorm, rmsNorm } from "../ops/norm.ts";
import { Rng } from "../tensor/random.ts";
import { ones, zeros, type Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";

/** "default" draws as PyTorch does: uniform in ±1/√fanIn. */
export type Init = "default" | "zeros";

export interface LayerOptions {
  readonly bias?: boolean;
  readonly rng?: Rng;
  readonly init?: Init;
}

function initial(
  shape: readonly number[],
  fanIn: number,
  { rng = new Rng(0), init = "default" }: LayerOptions,
): Tensor {
  if (init === "zeros") return zeros(shape);
  const bound = 1 / Math.sqrt(Math.max(1, fanIn));
  return rng.uniform(shape, -bound, bound);
}

/** y = x·Wᵀ + b over the last axis. */
export class Linear extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | null;

  constructor(inner: number, out: number, options: LayerOptions = {}) {
    super();
    this.weight = initial([out, inner], inner, options);
    this.bias = options.bias === false ? null : initial([out], inner, options);
  }
  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }
}

export interface ConvLayerOptions extends LayerOptions, ConvOptions {}

const sizes = (n: number | readonly number[], rank: number): readonly number[] =>
  typeof n === "number" ? new Array<number>(rank).fill(n) : n;

abstract class Conv extends Module {
  readonly weight: Tensor;
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
  protected get convOptions(): ConvOptions {
    return this.#options;
  }
}

/** Convolution over [B, C, L]. */
export class Conv1d extends Conv {
  constructor(inner: number, out: number, kernel: number, options: ConvLayerOptions = {}) {
    super(inner, out, [kernel], options);
  }
  forward(x: Tensor): Tensor {
    return conv1d(x, this.weight, this.bias, this.convOptions);
  }
}
/** Convolution over [B, C, H, W]. */
export class Conv2d extends Conv {
  constructor(inner: number, out: number, kernel: number | readonly number[], options: ConvLayerOptions = {}) {
    super(inner, out, sizes(kernel, 2), options);
  }
  forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.bias, this.convOptions);
  }
}
/** Convolution over [B, C, T, H, W]. */
export class Conv3d extends Conv {
  constructor(inner: number, out: number, kernel: number | readonly number[], options: ConvLayerOptions = {}) {
    super(inner, out, sizes(kernel, 3), options);
  }
  forward(x: Tensor): Tensor {
    return conv3d(x, this.weight, this.bias, this.convOptions);
  }
}

export class RMSNorm extends Module {
  readonly weight: Tensor;
  readonly #options: { readonly axis: number; readonly eps: number };

  constructor(dim: number, { eps = 1e-6, axis = -1 }: { eps?: number; axis?: number } = {}) {
    super();
    this.weight = ones([dim]);
    this.#options = { axis, eps };
  }
  forward(x: Tensor): Tensor {
    return rmsNorm(x, this.weight, this.#options);
  }
}

export class LayerNorm extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly #eps: number;

  constructor(dim: number, { eps = 1e-5 }: { eps?: number } = {}) {
    super();
    this.weight = ones([dim]);
    this.bias = zeros([dim]);
    this.#eps = eps;
  }
  forward(x: Tensor): Tensor {
    return layerNorm(x, this.weight, this.bias, { eps: this.#eps });
  }
}

export class GroupNorm extends Module {
  readonly weight: Tensor;
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
  forward(x: Tensor): Tensor {
    return groupNorm(x, this.#groups, this.weight, this.bias, { eps: this.#eps });
  }
}

/** A table of vectors, drawn from a standard normal. */
export class Embedding extends Module {
  readonly weight: Tensor;

  constructor(count: number, dim: number, { rng = new Rng(0) }: { rng?: Rng } = {}) {
    super();
    this.weight = rng.normal([count, dim]);
  }
  /** @param ids i32, any shape */
  forward(ids: Tensor): Tensor {
    return embedding(this.weight, ids);
  }
}
