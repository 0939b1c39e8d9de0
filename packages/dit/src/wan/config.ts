import type { BlockConfig } from "../block-config.ts";
import { ConfigError } from "../config-error.ts";
import { parseFlatConfig } from "../flat-config.ts";

/** Shape of Wan2.1's text-to-video transformer. */
export interface WanConfig {
  readonly latentChannels: number;
  readonly outChannels: number;
  /** Width of the text encoder's states. */
  readonly textDim: number;
  /** Width D; a multiple of headDim. */
  readonly width: number;
  readonly headDim: number;
  readonly depth: number;
  readonly ffnDim: number;
  /** Width of the sinusoidal timestep embedding. */
  readonly timeDim: number;
  /** Whether the text attention has a norm with weights in front. */
  readonly crossNorm: boolean;
}

const wan21 = {
  latentChannels: 16,
  outChannels: 16,
  textDim: 4096,
  headDim: 128,
  timeDim: 256,
  crossNorm: true,
} as const;

/** Public layouts (Apache-2.0). */
export const wanPresets = {
  /** 1,419 M parameters. */
  "wan2.1-t2v-1.3b": { ...wan21, width: 1536, depth: 30, ffnDim: 8960 },
  /** 14.3 B parameters. */
  "wan2.1-t2v-14b": { ...wan21, width: 5120, depth: 40, ffnDim: 13_824 },
} as const satisfies Record<string, WanConfig>;

/** The self-attention and FFN of Wan's block as ours. */
export const wanBlock = ({ width, headDim, ffnDim }: WanConfig): BlockConfig => ({
  width,
  headDim,
  ffnDim,
  ffn: "gelu",
  norm: "layer",
  qkNorm: "row",
  bias: true,
  modulation: "table",
  gateInit: 0,
});

/** Rotated pairs of a head for t, y and x: a third each for y and x, rounded down, the rest for t. */
export function wanRopeAxes(headDim: number): readonly [t: number, y: number, x: number] {
  const spatial = Math.floor(headDim / 6);
  return [headDim / 2 - 2 * spatial, spatial, spatial];
}

/** A config that comes from outside. @throws ConfigError naming the field that is wrong */
export const parseWanConfig = (value: unknown): WanConfig =>
  parseFlatConfig<WanConfig>("WanConfig", value, wanPresets["wan2.1-t2v-1.3b"]);

/** @throws ConfigError when the config contradicts itself */
export function checkWanConfig({ width, headDim, depth }: WanConfig): void {
  if (headDim < 2 || headDim % 2 !== 0 || width % headDim !== 0)
    throw new ConfigError(`WanConfig.width: must be a multiple of an even headDim, got ${width} and ${headDim}`);
  if (depth < 1) throw new ConfigError(`WanConfig.depth: must be at least 1, got ${depth}`);
}
