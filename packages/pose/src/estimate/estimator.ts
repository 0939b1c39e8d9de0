import type { Image } from "../image.ts";
import type { KeypointSchema } from "../keypoints.ts";
import type { KeypointTrack } from "../track.ts";

/** Finds the points of a person in pictures. */
export interface PoseEstimator {
  /** The points that it finds. */
  readonly schema: KeypointSchema;
  /**
   * @param image the picture
   * @param previous the frame before, as found: where to look. Null for a picture of its own
   * @returns K·3 numbers: x, y as fractions of the picture, confidence in [0, 1]
   */
  estimate(image: Image, previous: Float32Array | null): Promise<Float32Array>;
}

/** A video to be searched. */
export interface FrameSource {
  readonly frames: AsyncIterable<Image> | Iterable<Image>;
  /** Frames a second. */
  readonly fps: number;
  /** True for a mirror's image, as front cameras give it: the person's left and right are exchanged. */
  readonly mirrored?: boolean;
  /** Sees each frame with its points. */
  readonly onFrame?: (image: Image, points: Float32Array, frame: number) => void | Promise<void>;
  readonly signal?: AbortSignal;
}

/**
 * The points of every frame. Each frame is searched where the last one had the person.
 *
 * @throws RangeError when there is no frame
 */
export async function estimateTrack(
  estimator: PoseEstimator,
  { frames, fps, mirrored = false, onFrame, signal }: FrameSource,
): Promise<KeypointTrack> {
  const { schema } = estimator;
  const found: Float32Array[] = [];
  let size = { width: 0, height: 0 };
  let previous: Float32Array | null = null;
  for await (const image of frames) {
    signal?.throwIfAborted();
    previous = await estimator.estimate(image, previous);
    const points = mirrored ? exchangeSides(previous, schema) : previous;
    size = image;
    await onFrame?.(image, points, found.length);
    found.push(points);
  }
  if (found.length === 0) throw new RangeError("estimateTrack: there must be at least one frame, got none");
  const all = new Float32Array(found.length * schema.keypoints.length * 3);
  for (const [f, points] of found.entries()) all.set(points, f * schema.keypoints.length * 3);
  return { schema, fps, width: size.width, height: size.height, points: all };
}

/** The same places with `left_…` called `right_…` and the other way round. */
export function exchangeSides(points: Float32Array, schema: KeypointSchema): Float32Array {
  const out = points.slice();
  for (const [k, name] of schema.keypoints.entries()) {
    const twin = schema.keypoints.indexOf(
      name.startsWith("left_") ? name.replace("left_", "right_") : name.replace("right_", "left_"),
    );
    if (twin >= 0) out.set(points.subarray(3 * twin, 3 * twin + 3), 3 * k);
  }
  return out;
}
