import type { BlockConfig } from "../block-config.ts";
import { ConfigError } from "../config-error.ts";
import { parseFlatConfig } from "../flat-config.ts";

/** Shape of Stable Diffusion 3's transformer, with diffusers' meanings. */
export interface Sd3Config {
  readonly latentChannels: number;
  readonly outChannels: number;
  /** Width D; a multiple of headDim. */
  readonly width: number;
  readonly headDim: number;
  readonly depth: number;
  /** Width of the text encoders' states. */
  readonly textDim: number;
  /** Width of the pooled text vector. */
  readonly pooledDim: number;
  /** Edge of the table of position embeddings, in patches. */
  readonly positions: number;
  /** Edge of the picture whose positions are 0 … n − 1 in that table's formula, in patches. */
  readonly baseSize: number;
  /** Root mean square norm of queries and keys (SD3.5). */
  readonly qkNorm: boolean;
}

/** Public layouts. */
export const sd3Presets = {
  /** 2,085 M parameters. */
  "sd3-medium": {
    latentChannels: 16,
    outChannels: 16,
    width: 1536,
    headDim: 64,
    depth: 24,
    textDim: 4096,
    pooledDim: 2048,
    positions: 192,
    baseSize: 64,
    qkNorm: false,
  },
} as const satisfies Record<string, Sd3Config>;

/** SD3's joint block as ours. */
export const sd3Block = ({ width, headDim, qkNorm }: Pick<Sd3Config, "width" | "headDim" | "qkNorm">): BlockConfig => ({
  width,
  headDim,
  ffnDim: 4 * width,
  ffn: "gelu",
  norm: "layer",
  qkNorm: qkNorm ? "head" : "none",
  bias: true,
  modulation: "projection",
  gateInit: 0,
});

/** A config that comes from outside. @throws ConfigError naming the field that is wrong */
export const parseSd3Config = (value: unknown): Sd3Config =>
  parseFlatConfig<Sd3Config>("Sd3Config", value, sd3Presets["sd3-medium"]);

/** @throws ConfigError when the config contradicts itself */
export function checkSd3Config({ width, headDim, depth }: Sd3Config): void {
  if (headDim < 1 || width % headDim !== 0)
    throw new ConfigError(`Sd3Config.width: must be a multiple of headDim ${headDim}, got ${width}`);
  if (width % 4 !== 0)
    throw new ConfigError(`Sd3Config.width: must be a multiple of 4 for its position embeddings, got ${width}`);
  if (depth < 1) throw new ConfigError(`Sd3Config.depth: must be at least 1, got ${depth}`);
}
