import { concat, linear, zeros } from "@omni/core";
import type { Rng, Tensor } from "@omni/core";
import { Module } from "@omni/core/nn";

/** Edges of the block of pixels that one latent cell stands for. */
export interface PatchEdges {
  readonly frames: number;
  readonly size: number;
}

/** A linear code of blocks of pixels: rows that read it, columns that write it, and the mean block. */
export interface PatchCode {
  /** [C, block] */
  readonly read: Float32Array<ArrayBuffer>;
  /** [block, C] */
  readonly write: Float32Array<ArrayBuffer>;
  /** [block] */
  readonly mean: Float32Array<ArrayBuffer>;
}

const CHANNELS_FIRST = [0, 4, 1, 2, 3];
const CHANNELS_LAST = [0, 2, 3, 4, 1];

/**
 * The linear way around the convolutions: each latent cell reads its own block of pixels and writes it back. The convolutions then only have to
 * learn what a linear code of single blocks cannot say. Causal and exact in chunks, since blocks do not overlap; the first frame of a video
 * stands for a block of equal frames.
 *
 * @see Chen et al. 2024, "Deep Compression Autoencoder", residual autoencoding
 */
export class PatchShortcut extends Module {
  /** [C, block] */
  readonly readWeight: Tensor;
  /** [C] */
  readonly readBias: Tensor;
  /** [block, C] */
  readonly writeWeight: Tensor;
  /** [block] */
  readonly writeBias: Tensor;
  readonly #edges: PatchEdges;

  constructor(zDim: number, edges: PatchEdges, rng: Rng) {
    super();
    const block = edges.frames * edges.size * edges.size * 3;
    const bound = 1 / Math.sqrt(block);
    this.readWeight = rng.fork("read").uniform([zDim, block], -bound, bound);
    this.readBias = zeros([zDim]);
    this.writeWeight = rng.fork("write").uniform([block, zDim], -bound, bound);
    this.writeBias = zeros([block]);
    this.#edges = edges;
  }

  /** Latents of each block: [B, 3, F, H, W] → [B, C, T, h, w]. */
  encode(video: Tensor, isFirst: boolean): Tensor {
    return linear(blocksOf(video, this.#edges, isFirst), this.readWeight, this.readBias).permute(CHANNELS_FIRST);
  }

  /** Pixels of each block: [B, C, T, h, w] → [B, 3, F, H, W]. */
  decode(latents: Tensor, isFirst: boolean): Tensor {
    const { frames, size } = this.#edges;
    const blocks = linear(latents.permute(CHANNELS_LAST), this.writeWeight, this.writeBias);
    const [batch = 1, times = 1, height = 1, width = 1] = blocks.shape;
    const video = blocks
      .reshape([batch, times, height, width, frames, size, size, 3])
      .permute([0, 1, 4, 2, 5, 3, 6, 7])
      .reshape([batch, times * frames, height * size, width * size, 3])
      .permute(CHANNELS_FIRST);
    return isFirst ? video.slice(2, frames - 1) : video;
  }
}

/** Blocks of pixels as rows: [B, 3, F, H, W] → [B, T, h, w, frames · size² · 3]. */
export function blocksOf(video: Tensor, { frames, size }: PatchEdges, isFirst: boolean): Tensor {
  const [batch = 1, , , height = 1, width = 1] = video.shape;
  const first = video.slice(2, 0, 1);
  const whole = isFirst ? concat([...new Array<Tensor>(frames - 1).fill(first), video], { axis: 2 }) : video;
  const times = (whole.shape[2] ?? 1) / frames;
  const [h, w] = [height / size, width / size];
  return whole
    .permute(CHANNELS_LAST)
    .reshape([batch, times, frames, h, size, w, size, 3])
    .permute([0, 1, 3, 5, 2, 4, 6, 7])
    .reshape([batch, times, h, w, frames * size * size * 3]);
}
