import { OmniError, ShapeError } from "@omni/core";
import type { Features } from "./feature-statistics.ts";

export interface LipSync {
  /** Sync-C: how far the best shift stands out; larger is better. */
  readonly confidence: number;
  /** Sync-D: mean distance at the best shift; smaller is better. */
  readonly distance: number;
  /** Frames by which the sound leads: video(t) fits sound(t − offset) best. */
  readonly offset: number;
  /** Mean distance at each shift from −maxShift to maxShift, [2·maxShift + 1]. */
  readonly meanDistances: Float64Array;
  /** Confidence of each frame at the best shift, after a median of nine, [frames]. */
  readonly frameConfidences: Float64Array;
}

export interface LipSyncOptions {
  /** Frames that the sound is shifted by at most, either way. */
  readonly maxShift?: number;
  /** Added to each difference before its norm is taken, as PyTorch's `pairwise_distance` does. */
  readonly eps?: number;
}

/** Frames of the median that smooths confidences. */
const MEDIAN = 9;

/**
 * SyncNet's measure of lip synchrony from its features of pictures and sound, one a frame. Sound is shifted over zeros:
 *
 * d(t, s) = ‖video(t) − sound(t + s) + ε‖,   D(s) = mean over t,   Sync-D = min D,   Sync-C = median D − min D
 *
 * @param video [frames, dim]
 * @param sound [frames, dim]
 * @throws ShapeError unless both have one shape with at least one frame
 * @see Chung & Zisserman 2016, "Out of Time: Automated Lip Sync in the Wild", section 4; its published evaluation fixes the details
 */
export function lipSync(video: Features, sound: Features, { maxShift = 15, eps = 1e-6 }: LipSyncOptions = {}): LipSync {
  const [frames = 0, dim = 0] = video.shape;
  if (video.shape.length !== 2 || video.shape.join() !== sound.shape.join() || frames < 1)
    throw new ShapeError(
      `lipSync: features of video and sound must be [frames, dim] of one shape, got [${video.shape.join(", ")}] and [${sound.shape.join(", ")}]`,
    );
  if (!Number.isInteger(maxShift) || maxShift < 0)
    throw new OmniError(`lipSync: maxShift must be a whole number of frames, got ${maxShift}`);
  const shifts = 2 * maxShift + 1;
  const distances = Array.from({ length: shifts }, (_, s) =>
    Float64Array.from({ length: frames }, (_, t) => {
      const at = t + s - maxShift;
      let square = 0;
      for (let k = 0; k < dim; k++) {
        const heard = at >= 0 && at < frames ? (sound.data[at * dim + k] ?? NaN) : 0;
        square += ((video.data[t * dim + k] ?? NaN) - heard + eps) ** 2;
      }
      return Math.sqrt(square);
    }),
  );
  const meanDistances = Float64Array.from(distances, (d) => d.reduce((sum, x) => sum + x, 0) / frames);
  const distance = meanDistances.reduce((least, d) => Math.min(least, d), Infinity);
  const best = meanDistances.indexOf(distance);
  const middle = median(meanDistances);
  return {
    confidence: middle - distance,
    distance,
    offset: maxShift - best,
    meanDistances,
    frameConfidences: medianFilter((distances[best] ?? new Float64Array(frames)).map((d) => middle - d)),
  };
}

/** The middle value, or the mean of the two in the middle. */
function median(values: Float64Array): number {
  const sorted = values.toSorted();
  const half = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(half)] ?? NaN) + (sorted[Math.ceil(half)] ?? NaN)) / 2;
}

/** Each value's median with its neighbours, zeros beyond the ends. */
const medianFilter = (values: Float64Array): Float64Array =>
  values.map((_, i) => median(Float64Array.from({ length: MEDIAN }, (_, k) => values[i + k - (MEDIAN - 1) / 2] ?? 0)));
