import type { Found } from "./movenet.ts";

/** Size of the picture that a network saw, and its number of points. */
export interface SimccShape {
  readonly keypoints: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Points from SimCC's results: for each point one score a bin of the x axis and one a bin of the y axis, several bins a pixel. The point is where both
 * are greatest, and the lesser of the two is its score.
 *
 * @param x [K, bins · width]
 * @param y [K, bins · height]
 * @returns in pixels of what the network saw
 * @see Li et al. 2022, "SimCC: a Simple Coordinate Classification Perspective for Human Pose Estimation"
 */
export function decodeSimcc(x: Float32Array, y: Float32Array, { keypoints, width, height }: SimccShape): Found[] {
  const [columns, rows] = [x.length / keypoints, y.length / keypoints];
  return Array.from({ length: keypoints }, (_, k) => {
    const across = greatest(x.subarray(k * columns, (k + 1) * columns));
    const down = greatest(y.subarray(k * rows, (k + 1) * rows));
    return {
      x: (across.index * width) / columns,
      y: (down.index * height) / rows,
      score: Math.min(across.value, down.value),
    };
  });
}

function greatest(values: Float32Array): { readonly index: number; readonly value: number } {
  let index = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] ?? 0) > (values[index] ?? 0)) index = i;
  return { index, value: values[index] ?? 0 };
}
