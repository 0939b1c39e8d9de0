import { frameCount, keypointAt } from "./track.ts";
import type { Keypoint, KeypointTrack } from "./track.ts";

/** Hides the points that an estimator is less sure of than `confidence`. */
export function hideBelow(track: KeypointTrack, confidence: number): KeypointTrack {
  const points = track.points.slice();
  for (let i = 2; i < points.length; i += 3) if ((points[i] ?? 0) < confidence) points[i] = 0;
  return { ...track, points };
}

/**
 * Bridges short gaps: a point that is invisible for up to `maxGap` frames moves in a straight line between its neighbours in
 * time, with the lesser visibility of the two. Gaps at either end of the track stay.
 */
export function fillGaps(track: KeypointTrack, maxGap: number): KeypointTrack {
  const points = track.points.slice();
  const frames = frameCount(track);
  const count = track.schema.keypoints.length;
  for (let k = 0; k < count; k++) {
    let last: number | null = null;
    for (let frame = 0; frame < frames; frame++) {
      if (keypointAt(track, frame, k).visibility === 0) continue;
      if (last !== null && frame - last > 1 && frame - last - 1 <= maxGap) {
        const [from, to] = [keypointAt(track, last, k), keypointAt(track, frame, k)];
        for (let gap = last + 1; gap < frame; gap++) {
          points.set(between(from, to, (gap - last) / (frame - last)), 3 * (gap * count + k));
        }
      }
      last = frame;
    }
  }
  return { ...track, points };
}

/**
 * Removes jitter by a Gaussian average over time, in which a frame counts by its visibility. Visibility itself stays, and
 * invisible points are left alone.
 *
 * @param sigma standard deviation of the Gaussian, seconds; 0.04 to 0.1 keeps gestures crisp
 */
export function smoothTrack(track: KeypointTrack, sigma: number): KeypointTrack {
  const sigmaFrames = sigma * track.fps;
  const radius = Math.ceil(3 * sigmaFrames);
  if (radius === 0) return track;
  const points = track.points.slice();
  const count = track.schema.keypoints.length;
  for (let frame = 0; frame < frameCount(track); frame++) {
    for (let k = 0; k < count; k++) {
      if (keypointAt(track, frame, k).visibility === 0) continue;
      let [x, y, total] = [0, 0, 0];
      for (let offset = -radius; offset <= radius; offset++) {
        const point = keypointAt(track, frame + offset, k);
        const inside = frame + offset >= 0 ? point.visibility : 0;
        const weight = inside * Math.exp(-0.5 * (offset / sigmaFrames) ** 2);
        x += weight * point.x;
        y += weight * point.y;
        total += weight;
      }
      points.set([x / total, y / total], 3 * (frame * count + k));
    }
  }
  return { ...track, points };
}

/**
 * The track at another frame rate: frame n is the moment n / fps, in a straight line between its neighbours. A point is
 * visible only where both neighbours are.
 *
 * @param frames length of the result; by default the track's duration. Past the end the last frame stands.
 */
export function resampleTrack(track: KeypointTrack, fps: number, frames?: number): KeypointTrack {
  const count = track.schema.keypoints.length;
  const last = frameCount(track) - 1;
  const length = frames ?? Math.round((frameCount(track) * fps) / track.fps);
  const points = new Float32Array(length * count * 3);
  for (let frame = 0; frame < length; frame++) {
    const position = Math.min(last, (frame * track.fps) / fps);
    const before = Math.floor(position);
    for (let k = 0; k < count; k++) {
      const [from, to] = [keypointAt(track, before, k), keypointAt(track, Math.min(last, before + 1), k)];
      points.set(between(from, to, position - before), 3 * (frame * count + k));
    }
  }
  return { ...track, fps, points };
}

function between(from: Keypoint, to: Keypoint, share: number): [number, number, number] {
  if (share === 0) return [from.x, from.y, from.visibility];
  return [from.x + (to.x - from.x) * share, from.y + (to.y - from.y) * share, Math.min(from.visibility, to.visibility)];
}
