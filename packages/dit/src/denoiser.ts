import type { Tensor } from "@omni/core";
import type { DitInputs } from "./inputs.ts";

/**
 * A network that predicts the velocity v = ε − x_0 of noised video latents: what a sampler needs to know of it. `MMDiT` takes every condition,
 * a public backbone those that it was trained with.
 */
export interface Denoiser {
  /**
   * @returns velocity of the noised frames, [B, C, T, h, w]
   * @throws ShapeError when an input does not fit; ConfigError when the network has no place for a condition that is given
   */
  forward(inputs: DitInputs): Tensor;
}
