import { ShapeError } from "@omni/core";
import type { Tensor } from "@omni/core";

/** A frozen network whose features say how alike two pictures look: {@link VggFeatures}, or any other one in this shape. */
export interface PerceptualFeatures {
  /** Feature maps [N, C, h, w] of pictures [N, 3, H, W] in [-1, 1], at one depth or more. */
  layers(pictures: Tensor): readonly Tensor[];
  /** How much each channel of each layer counts, [C] each; null: all alike. */
  readonly channelWeights: readonly Tensor[] | null;
}

/** Keeps the gradient of a length finite where features are zero. */
const LENGTH_EPS = 1e-8;

/**
 * How different two pictures look to a network, frame by frame: LPIPS, or its uncalibrated form without channel weights.
 *
 * Σ_l mean_hw Σ_c w_lc (f_lc(a) / ‖f_l(a)‖ - f_lc(b) / ‖f_l(b)‖)²
 *
 * @param a [B, 3, F, H, W] in [-1, 1]
 * @param b shaped as `a`
 * @returns a scalar, the mean over frames
 * @throws ShapeError when shapes differ
 * @see Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", eq. 1
 */
export function perceptualDistance(features: PerceptualFeatures, a: Tensor, b: Tensor): Tensor {
  const [, channels, , height = 0, width = 0] = a.shape;
  if (a.ndim !== 5 || channels !== 3 || a.shape.join() !== b.shape.join())
    throw new ShapeError(
      `perceptualDistance: both must be [B, 3, F, H, W], got [${a.shape.join(", ")}] and [${b.shape.join(", ")}]`,
    );
  const frames = (video: Tensor): Tensor => video.permute([0, 2, 1, 3, 4]).reshape([-1, 3, height, width]);
  const [ofA, ofB] = [features.layers(frames(a)), features.layers(frames(b))];
  const distances = ofA.map((f, l) => {
    const squared = unitLength(f)
      .sub(unitLength(ofB[l] ?? f))
      .square();
    const weights = features.channelWeights?.[l];
    const counted = weights ? squared.mul(weights.reshape([1, -1, 1, 1])) : squared;
    return counted.sum({ axis: 1 }).mean();
  });
  const [first, ...rest] = distances;
  if (!first) throw new ShapeError("perceptualDistance: the features must have one layer or more, got none");
  return rest.reduce((sum, distance) => sum.add(distance), first);
}

/** Each position's features as a direction. */
const unitLength = (f: Tensor): Tensor => f.mul(f.square().sum({ axis: 1, keepdim: true }).add(LENGTH_EPS).rsqrt());
