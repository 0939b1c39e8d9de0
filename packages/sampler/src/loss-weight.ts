import { ones } from "@omni/core";
import type { Tensor } from "@omni/core";

/**
 * How much a time counts in training's loss. "none": all the same. "sigma-sqrt": w = t⁻². "cosmap": w = 2 / (π (1 − 2t + 2t²)), the density
 * that makes the path a cosine schedule's.
 */
export type LossWeighting = "none" | "sigma-sqrt" | "cosmap";

/**
 * Weight of each sample in the loss.
 *
 * @param t times in (0, 1], any shape
 * @returns shaped as t
 * @see Esser et al. 2024, section 3.1; diffusers, compute_loss_weighting_for_sd3
 */
export function lossWeight(t: Tensor, weighting: LossWeighting): Tensor {
  switch (weighting) {
    case "none":
      return ones(t.shape);
    case "sigma-sqrt":
      return t.square().reciprocal();
    case "cosmap":
      return t
        .square()
        .sub(t)
        .mul(2)
        .add(1)
        .mul(Math.PI / 2)
        .reciprocal();
  }
}
