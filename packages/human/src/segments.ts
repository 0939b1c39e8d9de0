import type { ClipConfig } from "./config.ts";

/** One run of the sampler within a video. */
export interface Segment {
  readonly index: number;
  /** Video frame at which it begins, motion frames included. */
  readonly start: number;
  /** Frames it takes over from the segment before: 0 in the first. */
  readonly motionFrames: number;
  /** First new frame of the video. */
  readonly first: number;
  /** New frames that belong to the video: fewer than were generated in the last segment. */
  readonly newFrames: number;
}

/**
 * Cuts a video into segments: the first has `segmentFrames` new frames, each later one begins with the last `motionFrames` of the one
 * before it. Every segment is generated whole; the last is cut to the video's length.
 *
 * @param frames of the video, at least 1
 */
export function planSegments(
  frames: number,
  { segmentFrames, motionFrames }: Pick<ClipConfig, "segmentFrames" | "motionFrames">,
): Segment[] {
  const stride = segmentFrames - motionFrames;
  const count = Math.max(1, Math.ceil((frames - motionFrames) / stride));
  return Array.from({ length: count }, (_, index) => {
    const start = index * stride;
    const motion = index === 0 ? 0 : motionFrames;
    const first = start + motion;
    return { index, start, motionFrames: motion, first, newFrames: Math.min(frames, start + segmentFrames) - first };
  });
}
