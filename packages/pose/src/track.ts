import { tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import { keypointIndices } from "./keypoints.ts";
import type { KeypointSchema } from "./keypoints.ts";

/** Keypoints of a clip, frame by frame. */
export interface KeypointTrack {
  readonly schema: KeypointSchema;
  /** Frames a second. */
  readonly fps: number;
  /** Size of the frames that the points were found in, pixels. */
  readonly width: number;
  readonly height: number;
  /**
   * F·K·3 numbers: x and y as fractions of width and height (0 is the left or top edge of the frame, 1 the right or bottom
   * one), and visibility in [0, 1].
   */
  readonly points: Float32Array;
}

/** Number of frames F. */
export function frameCount(track: KeypointTrack): number {
  return track.points.length / (3 * track.schema.keypoints.length);
}

/** One point of one frame. */
export interface Keypoint {
  readonly x: number;
  readonly y: number;
  readonly visibility: number;
}

/** Reads a point; outside the track it is invisible. */
export function keypointAt(track: KeypointTrack, frame: number, keypoint: number): Keypoint {
  const at = 3 * (frame * track.schema.keypoints.length + keypoint);
  const { points } = track;
  return { x: points[at] ?? 0, y: points[at + 1] ?? 0, visibility: points[at + 2] ?? 0 };
}

/**
 * The track on the device, as `renderHeatmaps` takes it.
 *
 * @returns [F, K, 3]: x, y as fractions of the frame, visibility
 */
export function trackTensor(track: KeypointTrack): Tensor {
  return tensor(track.points.slice(), { shape: [frameCount(track), track.schema.keypoints.length, 3] });
}

/** The same track in another schema: points are matched by name, those without a match are invisible. */
export function convertTrack(track: KeypointTrack, schema: KeypointSchema): KeypointTrack {
  const indices = keypointIndices(track.schema, schema);
  const points = new Float32Array(frameCount(track) * indices.length * 3);
  for (let frame = 0; frame < frameCount(track); frame++) {
    for (const [k, source] of indices.entries()) {
      if (source < 0) continue;
      const { x, y, visibility } = keypointAt(track, frame, source);
      points.set([x, y, visibility], 3 * (frame * indices.length + k));
    }
  }
  return { ...track, schema, points };
}
