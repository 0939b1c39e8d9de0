import { ShapeError } from "@omni/core";

/** A picture as numbers: [height, width, channels] in row-major order, on any scale. */
export interface Picture {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** @throws ShapeError unless both are [H, W, C] of one shape and full */
export function expectPair(metric: string, a: Picture, b: Picture): readonly [number, number, number] {
  const [height = 0, width = 0, channels = 0] = a.shape;
  const size = height * width * channels;
  if (a.shape.length !== 3 || a.shape.join() !== b.shape.join() || a.data.length !== size || b.data.length !== size)
    throw new ShapeError(
      `${metric}: both pictures must be [height, width, channels] of one shape, got [${a.shape.join(", ")}] and [${b.shape.join(", ")}]`,
    );
  return [height, width, channels];
}
