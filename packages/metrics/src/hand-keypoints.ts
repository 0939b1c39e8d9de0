import { ShapeError } from "@omni/core";

/** Hand keypoints of a video, as a detector gives them. */
export interface HandKeypoints {
  /** [frames, keypoints] */
  readonly shape: readonly number[];
  /** Positions in pixels, x before y: [frames, keypoints, 2]. */
  readonly xy: ArrayLike<number>;
  /** Of each keypoint in [0, 1]: [frames, keypoints]. */
  readonly confidence: ArrayLike<number>;
}

/** @throws ShapeError unless positions and confidences fit the shape */
function expectKeypoints(metric: string, { shape, xy, confidence }: HandKeypoints): readonly [number, number] {
  const [frames = 0, keypoints = 0] = shape;
  const size = frames * keypoints;
  if (shape.length !== 2 || size === 0 || xy.length !== 2 * size || confidence.length !== size)
    throw new ShapeError(
      `${metric}: positions must be [frames, keypoints, 2] and confidences [frames, keypoints], ` +
        `got ${xy.length} and ${confidence.length} numbers for [${shape.join(", ")}]`,
    );
  return [frames, keypoints];
}

/**
 * HKC, hand keypoint confidence: the mean over frames and keypoints. Larger where hands look like hands.
 *
 * @see CyberHost (Lin et al. 2024), section 4.1, which OmniHuman-1 follows
 */
export function handKeypointConfidence(hands: HandKeypoints): number {
  const [frames, keypoints] = expectKeypoints("handKeypointConfidence", hands);
  let sum = 0;
  for (let i = 0; i < frames * keypoints; i++) sum += hands.confidence[i] ?? NaN;
  return sum / (frames * keypoints);
}

export interface HandVariance {
  /** HKV: mean over keypoints of the variance of x plus that of y over time, pixels². */
  readonly variance: number;
  /** Mean over keypoints of the root of those, pixels. */
  readonly deviation: number;
  /** The variances themselves, [keypoints]. */
  readonly byKeypoint: Float64Array;
}

/**
 * HKV, hand keypoint variance: how richly hands move. Variances are divided by the number of frames. The papers do not say how positions are
 * normalised; here they are pixels.
 *
 * @param options.minConfidence leaves out positions that are not above it; a keypoint with fewer than two left has a variance of 0
 * @see CyberHost (Lin et al. 2024), section 4.1, which OmniHuman-1 follows
 */
export function handKeypointVariance(
  hands: HandKeypoints,
  { minConfidence = -Infinity }: { readonly minConfidence?: number } = {},
): HandVariance {
  const [frames, keypoints] = expectKeypoints("handKeypointVariance", hands);
  const byKeypoint = Float64Array.from({ length: keypoints }, (_, k) => {
    const seen = Array.from({ length: frames }, (_, t) => t * keypoints + k).filter(
      (i) => (hands.confidence[i] ?? 0) > minConfidence,
    );
    const along = (axis: 0 | 1): number => populationVariance(seen.map((i) => hands.xy[2 * i + axis] ?? NaN));
    return seen.length < 2 ? 0 : along(0) + along(1);
  });
  const mean = (values: Float64Array): number => values.reduce((a, b) => a + b, 0) / keypoints;
  return { variance: mean(byKeypoint), deviation: mean(byKeypoint.map(Math.sqrt)), byKeypoint };
}

function populationVariance(values: readonly number[]): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
}
