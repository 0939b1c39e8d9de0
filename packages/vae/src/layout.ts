import type { VaeConfig } from "./config.ts";

/** One layer of the network as the config asks for it. The model builds layers from it, `flops` counts them. */
export type LayerSpec =
  | { readonly kind: "residual"; readonly in: number; readonly out: number; readonly temporalKernel: 1 | 3 }
  | { readonly kind: "attention"; readonly dim: number }
  | { readonly kind: "downsample"; readonly dim: number; readonly spatial: boolean; readonly temporal: boolean }
  | {
      readonly kind: "upsample";
      readonly in: number;
      readonly out: number;
      readonly spatial: "nearest" | "shuffle" | "none";
      readonly temporal: boolean;
    };

/** A cubic causal convolution. */
export interface ConvSpec {
  readonly in: number;
  readonly out: number;
  readonly kernel: 1 | 3;
}

/** Half of an autoencoder: convolution, layers, then norm, SiLU and convolution. */
export interface CoderLayout {
  readonly convIn: ConvSpec;
  readonly layers: readonly LayerSpec[];
  /** Stands after the layers of an encoder and before those of a decoder. */
  readonly middle: readonly LayerSpec[];
  readonly convOut: ConvSpec;
}

/** The encoder: [B, 3·s², F, H/s, W/s] → [B, 2C, T, h, w]. */
export function encoderLayout(config: VaeConfig): CoderLayout {
  const { encoderDims, encoderBlocks, zDim, pixelKernel } = config;
  const layers: LayerSpec[] = [];
  const stem = encoderDims[0] ?? 0;
  let width = stem;
  for (const [level, dim] of encoderDims.entries()) {
    layers.push(...blocks(config, level, width, dim, encoderBlocks));
    width = dim;
    if (level < encoderDims.length - 1) layers.push({ kind: "downsample", dim, ...step(config, level) });
  }
  return {
    convIn: { in: pixelChannels(config), out: stem, kernel: pixelKernel },
    layers,
    middle: middle(config, width),
    convOut: { in: width, out: 2 * zDim, kernel: 3 },
  };
}

/** The decoder: [B, C, T, h, w] → [B, 3·s², F, H/s, W/s]. */
export function decoderLayout(config: VaeConfig): CoderLayout {
  const { decoderDims, decoderBlocks, zDim, pixelKernel, upsample } = config;
  const layers: LayerSpec[] = [];
  const coarsest = decoderDims.at(-1) ?? 0;
  let width = coarsest;
  for (let level = decoderDims.length - 1; level >= 0; level--) {
    const dim = decoderDims[level] ?? 0;
    layers.push(...blocks(config, level, width, dim, decoderBlocks));
    width = dim;
    if (level === 0) continue;
    const { spatial, temporal } = step(config, level - 1);
    if (spatial) width = upsample === "nearest" ? dim / 2 : (decoderDims[level - 1] ?? 0);
    layers.push({ kind: "upsample", in: dim, out: width, spatial: spatial ? upsample : "none", temporal });
  }
  return {
    convIn: { in: zDim, out: coarsest, kernel: 3 },
    layers,
    middle: middle(config, coarsest),
    convOut: { in: width, out: pixelChannels(config), kernel: pixelKernel },
  };
}

function pixelChannels(config: VaeConfig): number {
  return 3 * config.spaceToDepth ** 2;
}

/** What happens to the grid between level and level + 1. */
function step(config: VaeConfig, level: number): { readonly spatial: boolean; readonly temporal: boolean } {
  return {
    spatial: config.spatialDownsample[level] ?? false,
    temporal: config.temporalDownsample[level] ?? false,
  };
}

function blocks(config: VaeConfig, level: number, from: number, dim: number, count: number): LayerSpec[] {
  const temporalKernel = config.temporalKernel[level] ?? 3;
  return Array.from({ length: count }, (_, i): LayerSpec[] => [
    { kind: "residual", in: i === 0 ? from : dim, out: dim, temporalKernel },
    ...(config.attentionLevels.includes(level) ? [{ kind: "attention", dim } as const] : []),
  ]).flat();
}

function middle(config: VaeConfig, dim: number): LayerSpec[] {
  if (config.middle === "none") return [];
  const residual = { kind: "residual", in: dim, out: dim, temporalKernel: 3 } as const;
  return [residual, { kind: "attention", dim }, residual];
}
