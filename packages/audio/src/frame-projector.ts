import { concat, Rng, ShapeError } from "@omni/core";
import type { Tensor } from "@omni/core";
import { Linear, Module } from "@omni/core/nn";

/**
 * Each frame's tokens joined with those of its neighbours: frame k gets frames k - reach … k + reach, the first and last standing in for
 * those beyond the ends.
 *
 * @param features [B, frames, tokensPerFrame, D]
 * @returns [B, frames, (2 reach + 1) tokensPerFrame, D]
 * @see OmniHuman-1, section 3.2: a frame's audio is its own and its neighbours'
 */
export function frameWindows(features: Tensor, reach: number): Tensor {
  const [, frames = 0] = features.shape;
  if (features.ndim !== 4 || frames === 0)
    throw new ShapeError(
      `frameWindows: features must be [B, frames, tokens, D] with a frame, got [${features.shape.join(", ")}]`,
    );
  if (reach === 0) return features;
  const ends = (edge: Tensor): Tensor => edge.repeat(reach, 1);
  const padded = concat([ends(features.slice(1, 0, 1)), features, ends(features.slice(1, frames - 1, frames))], {
    axis: 1,
  });
  const shifted = Array.from({ length: 2 * reach + 1 }, (_, i) => padded.slice(1, i, i + frames));
  return concat(shifted, { axis: 2 });
}

/** Sizes of a {@link FrameProjector}. */
export interface ProjectorOptions {
  /** Width of the features; see `featureDim`. */
  readonly features: number;
  /** Width of the tokens. */
  readonly width: number;
  /** Neighbours on each side whose tokens a frame gets too. Default 2. */
  readonly reach?: number;
  readonly rng?: Rng;
}

/**
 * Features of video frames → audio tokens: a two-layer network for each token, then windows over neighbouring frames.
 *
 * @see OmniHuman-1, section 3.2: wav2vec features, through an MLP to the width of the network
 */
export class FrameProjector extends Module {
  readonly fc1: Linear;
  readonly fc2: Linear;
  readonly #reach: number;

  constructor({ features, width, reach = 2, rng = new Rng(0) }: ProjectorOptions) {
    super();
    this.fc1 = new Linear(features, width, { rng: rng.fork("fc1") });
    this.fc2 = new Linear(width, width, { rng: rng.fork("fc2") });
    this.#reach = reach;
  }

  /** [B, frames, tokensPerFrame, features] → [B, frames, (2 reach + 1) tokensPerFrame, width] */
  forward(features: Tensor): Tensor {
    return frameWindows(this.fc2.forward(this.fc1.forward(features).silu()), this.#reach);
  }
}
