import { compression } from "./config.ts";
import type { VaeConfig } from "./config.ts";
import { decoderLayout, encoderLayout } from "./layout.ts";
import type { ConvSpec, LayerSpec } from "./layout.ts";

/** Size of a clip in frames and pixels. */
export interface ClipSize {
  readonly frames: number;
  readonly height: number;
  readonly width: number;
  /** Default 1. */
  readonly batch?: number;
}

/** Floating-point operations of the forward pass; training costs about three times as much. */
export interface VaeFlops {
  readonly encode: number;
  readonly decode: number;
  readonly total: number;
}

/**
 * Counts the multiplications and additions of convolutions and attention (two a multiply-add; norms and activations are
 * left out).
 *
 * @param size clip of 1 + 4n frames, its sides multiples of the spatial compression
 */
export function flops(config: VaeConfig, { frames, height, width, batch = 1 }: ClipSize): VaeFlops {
  const pixels: Grid = { frames, height: height / config.spaceToDepth, width: width / config.spaceToDepth };
  const encoder = encoderLayout(config);
  const down = walk([...encoder.layers, ...encoder.middle], pixels);
  const decoder = decoderLayout(config);
  const up = walk([...decoder.middle, ...decoder.layers], down.grid);
  const quant = (channels: number): number => (config.quantConv ? conv(channels, channels, 1, down.grid) : 0);

  const { temporal, spatial } = compression(config);
  const cells = down.grid.frames * down.grid.height * down.grid.width;
  const shortcut = config.patchShortcut ? 2 * cells * config.zDim * temporal * spatial * spatial * 3 : 0;

  const encode =
    cubic(encoder.convIn, pixels) + down.flops + cubic(encoder.convOut, down.grid) + quant(2 * config.zDim) + shortcut;
  const decode =
    quant(config.zDim) + cubic(decoder.convIn, down.grid) + up.flops + cubic(decoder.convOut, up.grid) + shortcut;
  return { encode: encode * batch, decode: decode * batch, total: (encode + decode) * batch };
}

interface Grid {
  readonly frames: number;
  readonly height: number;
  readonly width: number;
}

function walk(layers: readonly LayerSpec[], start: Grid): { readonly flops: number; readonly grid: Grid } {
  let grid = start;
  let total = 0;
  for (const layer of layers) {
    const cost = layerCost(layer, grid);
    total += cost.flops;
    grid = cost.grid;
  }
  return { flops: total, grid };
}

function layerCost(layer: LayerSpec, grid: Grid): { readonly flops: number; readonly grid: Grid } {
  switch (layer.kind) {
    case "residual": {
      const taps = layer.temporalKernel * 9;
      const shortcut = layer.in === layer.out ? 0 : conv(layer.in, layer.out, 1, grid);
      return { flops: conv(layer.in, layer.out, taps, grid) + conv(layer.out, layer.out, taps, grid) + shortcut, grid };
    }
    case "attention": {
      const tokens = grid.height * grid.width;
      const scores = 4 * layer.dim * tokens * tokens * grid.frames;
      return { flops: conv(layer.dim, 3 * layer.dim, 1, grid) + scores + conv(layer.dim, layer.dim, 1, grid), grid };
    }
    case "downsample": {
      const half = layer.spatial ? { ...grid, height: grid.height / 2, width: grid.width / 2 } : grid;
      const spatial = layer.spatial ? conv(layer.dim, layer.dim, 9, half) : 0;
      if (!layer.temporal) return { flops: spatial, grid: half };
      const later = (half.frames - 1) / 2;
      const temporal = conv(layer.dim, layer.dim, 3, { ...half, frames: later });
      return { flops: spatial + temporal, grid: { ...half, frames: 1 + later } };
    }
    case "upsample": {
      const later = grid.frames - 1;
      const long = layer.temporal ? { ...grid, frames: 1 + 2 * later } : grid;
      const temporal = layer.temporal ? conv(layer.in, 2 * layer.in, 3, { ...grid, frames: later }) : 0;
      if (layer.spatial === "none") return { flops: temporal, grid: long };
      const large = { ...long, height: long.height * 2, width: long.width * 2 };
      const spatial =
        layer.spatial === "nearest" ? conv(layer.in, layer.out, 9, large) : conv(layer.in, 4 * layer.out, 1, long);
      return { flops: temporal + spatial, grid: large };
    }
  }
}

function cubic(spec: ConvSpec, grid: Grid): number {
  return conv(spec.in, spec.out, spec.kernel ** 3, grid);
}

/** A convolution with `taps` kernel positions, on its output grid. */
function conv(channelsIn: number, channelsOut: number, taps: number, grid: Grid): number {
  return 2 * channelsIn * channelsOut * taps * grid.frames * grid.height * grid.width;
}
