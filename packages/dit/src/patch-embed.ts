import { concat, full, zeros } from "@omni/core";
import type { Rng, Tensor } from "@omni/core";
import { Linear, Module } from "@omni/core/nn";
import { PATCH } from "./config.ts";
import type { DitConfig } from "./config.ts";
import type { DitInputs, Layout } from "./inputs.ts";

/**
 * Cuts frames into 1×2×2 patches: [B, C, T, h, w] → [B, T, (h/2)(w/2), 4 C], the channels of a patch in the order (c, y, x).
 */
export function patchify(latents: Tensor): Tensor {
  const [batch = 0, channels = 0, frames = 0, height = 0, width = 0] = latents.shape;
  const rows = height / PATCH.y;
  const columns = width / PATCH.x;
  return latents
    .reshape([batch, channels, frames, rows, PATCH.y, columns, PATCH.x])
    .permute([0, 2, 3, 5, 1, 4, 6])
    .reshape([batch, frames, rows * columns, channels * PATCH.y * PATCH.x]);
}

/** The inverse of {@link patchify} for frames of `rows` × `columns` patches. */
export function unpatchify(tokens: Tensor, { rows, columns }: Pick<Layout, "rows" | "columns">): Tensor {
  const [batch = 0, frames = 0, , width = 0] = tokens.shape;
  const channels = width / (PATCH.y * PATCH.x);
  return tokens
    .reshape([batch, frames, rows, columns, channels, PATCH.y, PATCH.x])
    .permute([0, 4, 1, 2, 5, 3, 6])
    .reshape([batch, channels, frames, rows * PATCH.y, columns * PATCH.x]);
}

/**
 * Embeds [noise C | pose channels | mask] patches with one matrix.
 *
 * The matrix is kept as its column blocks (`latent`, `pose`, `mask`): W [a | b | c] = W_a a + W_b b + W_c c. Those of pose and mask start
 * at zero, so that a condition joins a trained model without a jolt, and an absent condition costs nothing.
 */
export class PatchEmbed extends Module {
  readonly latent: Linear;
  readonly pose: Linear;
  /** Columns of the mask channel, summed over the patch (the mask is constant within a frame), [D]; absent in some configs. */
  readonly mask: Tensor | null;

  constructor({ latentChannels, poseChannels, maskChannel, width }: DitConfig, rng: Rng) {
    super();
    const area = PATCH.y * PATCH.x;
    this.latent = new Linear(latentChannels * area, width, { rng: rng.fork("latent") });
    this.pose = new Linear(poseChannels * area, width, { bias: false, rng: rng.fork("pose"), init: "zeros" });
    this.mask = maskChannel ? zeros([width]) : null;
  }

  /** @returns video tokens, [B, frames, tokensPerFrame, D], frames in the order reference, motion, noisy */
  forward({ reference, motion, noisy, pose, poseActive }: DitInputs, layout: Layout): Tensor {
    const { batch, frames, noisyFrames, referenceFrames } = layout;
    const latents = [reference, motion, noisy].filter((part) => part !== null);
    let tokens = this.latent.forward(patchify(latents.length === 1 ? noisy : concat(latents, { axis: 2 })));
    if (pose) {
      const active = poseActive ? pose.mul(poseActive.reshape([batch, 1, 1, 1, 1])) : pose;
      const columns = this.pose.forward(patchify(active));
      tokens = tokens.add(
        referenceFrames === 0
          ? columns
          : columns.pad([
              [0, 0],
              [referenceFrames, 0],
              [0, 0],
              [0, 0],
            ]),
      );
    }
    if (this.mask && frames > noisyFrames) {
      const clean = full([1, frames - noisyFrames, 1, 1], 1).pad([
        [0, 0],
        [0, noisyFrames],
        [0, 0],
        [0, 0],
      ]);
      tokens = tokens.add(clean.mul(this.mask));
    }
    return tokens;
  }
}
