import { arange, ShapeError } from "@omni/core";
import type { Tensor } from "@omni/core";

/** Standard deviation of a heatmap's Gaussian: in its own pixels, or as a fraction of its shorter side. */
export type HeatmapSigma =
  { readonly unit: "pixels"; readonly value: number } | { readonly unit: "fraction"; readonly value: number };

export interface HeatmapOptions {
  /** Size of the heatmaps in pixels; may be smaller than the frame's. */
  readonly height: number;
  readonly width: number;
  readonly sigma: HeatmapSigma;
}

/**
 * One Gaussian a keypoint, of height 1 (times visibility) at the point; invisible points give zeros.
 *
 * g(i, j) = v · exp(-((j + ½ - x·W)² + (i + ½ - y·H)²) / 2σ²)
 *
 * @param keypoints [..., K, 3]: x, y as fractions of the frame, visibility in [0, 1]
 * @returns [..., K, H, W]
 * @throws ShapeError when the last axis is not 3
 */
export function renderHeatmaps(keypoints: Tensor, { height, width, sigma }: HeatmapOptions): Tensor {
  if (keypoints.shape.at(-1) !== 3) {
    throw new ShapeError(`renderHeatmaps: keypoints must be [..., K, 3], got [${keypoints.shape.join(", ")}]`);
  }
  const points = keypoints.shape.slice(0, -1);
  const part = (index: number, shape: readonly number[]): Tensor =>
    keypoints.slice(-1, index, index + 1).reshape(shape);
  const pixels = sigma.unit === "pixels" ? sigma.value : sigma.value * Math.min(height, width);

  // a Gaussian is a product: H + W exponentials a point instead of H·W
  const column = [...points, height, 1];
  const row = [...points, 1, width];
  const y = bell(part(1, [...points, 1, 1]), height, column.slice(-2), pixels);
  const x = bell(part(0, [...points, 1, 1]), width, row.slice(-2), pixels);
  return x.mul(part(2, [...points, 1, 1])).mul(y);
}

/** exp(-(p + ½ - centre·n)² / 2σ²) at each of n pixels p along one axis. */
function bell(centre: Tensor, length: number, shape: readonly number[], sigma: number): Tensor {
  const pixel = arange(length, { dtype: "f32" }).reshape(shape).add(0.5);
  return pixel
    .sub(centre.mul(length))
    .square()
    .mul(-0.5 / sigma ** 2)
    .exp();
}
