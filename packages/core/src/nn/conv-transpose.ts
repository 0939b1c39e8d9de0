import { convTranspose1d, convTranspose2d, convTranspose3d, type ConvTransposeOptions } from "../ops/conv-transpose.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { initial, type LayerOptions, sizes } from "./layers.ts";
import { Module } from "./module.ts";

/** What layers of transposed convolution take: first values, and the geometry. */
export interface ConvTransposeLayerOptions extends LayerOptions, ConvTransposeOptions {}

abstract class ConvTranspose extends Module {
  /** [inner, out/groups, ...kernel] */
  readonly weight: Tensor;
  /** [out], null without one. */
  readonly bias: Tensor | null;
  readonly #options: ConvTransposeOptions;

  constructor(inner: number, out: number, kernel: readonly number[], options: ConvTransposeLayerOptions) {
    super();
    const perGroup = out / (options.groups ?? 1);
    // PyTorch takes the second axis for the inputs here, too
    const fanIn = kernel.reduce((n, k) => n * k, perGroup);
    this.weight = initial([inner, perGroup, ...kernel], fanIn, options);
    this.bias = options.bias === false ? null : initial([out], fanIn, options);
    this.#options = options;
  }
  /** @internal */
  protected get convOptions(): ConvTransposeOptions {
    return this.#options;
  }
}

/** Transposed convolution of [B, C, L]; its weight is [C, O/groups, k]. */
export class ConvTranspose1d extends ConvTranspose {
  constructor(inner: number, out: number, kernel: number, options: ConvTransposeLayerOptions = {}) {
    super(inner, out, [kernel], options);
  }
  /** [B, inner, L] → [B, out, L'] */
  forward(x: Tensor): Tensor {
    return convTranspose1d(x, this.weight, this.bias, this.convOptions);
  }
}
/** Transposed convolution of [B, C, H, W]. */
export class ConvTranspose2d extends ConvTranspose {
  constructor(inner: number, out: number, kernel: number | readonly number[], options: ConvTransposeLayerOptions = {}) {
    super(inner, out, sizes(kernel, 2), options);
  }
  /** [B, inner, H, W] → [B, out, H', W'] */
  forward(x: Tensor): Tensor {
    return convTranspose2d(x, this.weight, this.bias, this.convOptions);
  }
}
/** Transposed convolution of [B, C, T, H, W]. */
export class ConvTranspose3d extends ConvTranspose {
  constructor(inner: number, out: number, kernel: number | readonly number[], options: ConvTransposeLayerOptions = {}) {
    super(inner, out, sizes(kernel, 3), options);
  }
  /** [B, inner, T, H, W] → [B, out, T', H', W'] */
  forward(x: Tensor): Tensor {
    return convTranspose3d(x, this.weight, this.bias, this.convOptions);
  }
}
