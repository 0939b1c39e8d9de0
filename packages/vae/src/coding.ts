import { compression } from "./config.ts";
import type { VaeConfig } from "./config.ts";
import type { ClipSize } from "./flops.ts";
import { decoderLayout } from "./layout.ts";
import type { Tiling } from "./tiling.ts";

/** How a clip passes through an autoencoder: at once; a latent frame after the other; or so, and tile by tile. */
export type ClipCoding = "whole" | "frames" | Tiling;

/** What an adapter has for coding a clip, bytes. */
export interface CodingLimits {
  /** For all that lies between, and what is remembered of earlier frames. */
  readonly memory: number;
  /** What one kernel may bind. */
  readonly binding: number;
}

/** What coding takes, bytes. */
export interface CodingBytes {
  /** Largest features of a layer. */
  readonly largest: number;
  /** Beside weights and result, about. */
  readonly total: number;
}

// Features alive at once, in largest ones: what estimate() finds in both presets, rounded up.
const ALIVE = 5;
const FLOAT = 4;
/** Edges of tiles in latent cells, best first. */
const TILES = [64, 48, 32, 24] as const;
const SMALLEST = 16;

/**
 * Chooses how to code a clip: whole where it fits, since that is exact and quickest; else frame by frame, which is exact but for the order of
 * sums; else in the largest tiles that fit, or the smallest there are.
 */
export function clipCoding(config: VaeConfig, clip: ClipSize, limits: CodingLimits): ClipCoding {
  const fits = ({ largest, total }: CodingBytes): boolean => largest <= limits.binding && total <= limits.memory;
  const { temporal, spatial } = compression(config);
  if (fits(codingBytes(config, clip))) return "whole";
  const chunk = { ...clip, frames: temporal };
  if (fits(codingBytes(config, chunk, { streams: true }))) return "frames";
  const tile = (size: number): ClipSize => ({
    ...chunk,
    height: Math.min(clip.height, size * spatial),
    width: Math.min(clip.width, size * spatial),
  });
  return { size: TILES.find((edge) => fits(codingBytes(config, tile(edge), { streams: true }))) ?? SMALLEST };
}

/**
 * What decoding a clip takes by its layers' sizes; encoding takes no more.
 *
 * @param options.streams counts what layers remember from chunk to chunk, before and after
 */
export function codingBytes(
  config: VaeConfig,
  { frames, height, width, batch = 1 }: ClipSize,
  { streams = false }: { readonly streams?: boolean } = {},
): CodingBytes {
  const { temporal, spatial } = compression(config);
  const { convIn, middle, layers } = decoderLayout(config);
  let rate = 1 / temporal;
  let area = (height / spatial) * (width / spatial);
  // numbers of a picture's features
  let remembered = 2 * convIn.in * area;
  let largest = convIn.out * area * frames * rate;
  for (const layer of [...middle, ...layers]) {
    if (layer.kind === "residual") {
      largest = Math.max(largest, Math.max(layer.in, layer.out) * area * frames * rate);
      remembered += (layer.temporalKernel - 1) * (layer.in + layer.out) * area;
    } else if (layer.kind === "upsample") {
      if (layer.temporal) {
        remembered += 2 * layer.in * area;
        rate *= 2;
      }
      if (layer.spatial !== "none") area *= 4;
      // a shuffle reads as much as it writes
      const channels = layer.spatial === "nearest" ? layer.in : 2 * layer.out;
      largest = Math.max(largest, channels * area * frames * rate);
    }
  }
  const features = Math.ceil(largest) * batch * FLOAT;
  return { largest: features, total: ALIVE * features + (streams ? 2 * remembered * batch * FLOAT : 0) };
}
