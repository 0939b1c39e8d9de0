import type { Tensor } from "@omni/core";
import { FeatureCache } from "./feature-cache.ts";
import type { CausalVae } from "./model.ts";
import type { VideoStream } from "./tiling.ts";

/**
 * Encodes a video as it arrives: the first chunk has 1 + 4n frames, each later one 4n. The latents joined in time equal
 * `encode` of the whole. Holds a few frames of features, however long the video.
 */
export class EncodeStream implements VideoStream {
  readonly #vae: CausalVae;
  readonly #cache = new FeatureCache();

  constructor(vae: CausalVae) {
    this.#vae = vae;
  }

  /**
   * @param video next frames, [B, 3, F, H, W]
   * @param last nothing follows: what a next chunk would need is not kept
   * @returns their normalised latents, [B, C, T, h, w], realised; the caller disposes them
   * @throws ShapeError when F is not 1 + 4n at first or 4n later
   */
  async push(video: Tensor, last = false): Promise<Tensor> {
    const latents = this.#vae.normalize(this.#vae.encodeMoments(video, this.#cache).mean);
    await this.#cache.settle(latents, last);
    return latents;
  }

  /** Gives the remembered features back. */
  dispose(): void {
    this.#cache.dispose();
  }
}

/**
 * Decodes latents as they arrive, any number of latent frames a chunk. The frames joined in time equal `decode` of the
 * whole: the first latent frame gives one video frame, each later one four.
 */
export class DecodeStream implements VideoStream {
  readonly #vae: CausalVae;
  readonly #cache = new FeatureCache();

  constructor(vae: CausalVae) {
    this.#vae = vae;
  }

  /**
   * @param latents next normalised latents, [B, C, T, h, w]
   * @param last nothing follows: what a next chunk would need is not kept
   * @returns their frames, [B, 3, F, H, W], in [-1, 1], realised; the caller disposes them
   */
  async push(latents: Tensor, last = false): Promise<Tensor> {
    const video = this.#vae.decodeRaw(this.#vae.denormalize(latents), this.#cache).clamp(-1, 1);
    await this.#cache.settle(video, last);
    return video;
  }

  /** Gives the remembered features back. */
  dispose(): void {
    this.#cache.dispose();
  }
}
