import type { DitConfig } from "./config.ts";

/**
 * How a transformer block is made. One code serves OmniHuman's own model, SD3 and Wan2.1: they differ in these choices.
 */
export interface BlockConfig {
  /** Model width D; a multiple of headDim. */
  readonly width: number;
  readonly headDim: number;
  /** Hidden width of the FFN. */
  readonly ffnDim: number;
  readonly ffn: "swiglu" | "gelu";
  /** Norm without parameters in front of each half. */
  readonly norm: NormKind;
  /** Root mean square norm of queries and keys: of each head, of all heads together, or none. */
  readonly qkNorm: "head" | "row" | "none";
  /** Whether projections have biases. */
  readonly bias: boolean;
  /** Where modulation comes from: a projection that all blocks share plus a table of each, or a projection of each (adaLN). */
  readonly modulation: "table" | "projection";
  /** Start of the residual gates of a table. */
  readonly gateInit: number;
}

/** Root mean square, or mean and variance. */
export type NormKind = "rms" | "layer";

/** OmniHuman's block. */
export const omniBlock = ({ width, headDim, ffnDim, gateInit }: DitConfig): BlockConfig => ({
  width,
  headDim,
  ffnDim,
  gateInit,
  ffn: "swiglu",
  norm: "rms",
  qkNorm: "head",
  bias: false,
  modulation: "table",
});
