import { frameCount, keypointAt } from "./track.ts";
import type { KeypointTrack } from "./track.ts";

/** How a one-euro filter follows. */
export interface OneEuroOptions {
  /** Cutoff of a point at rest, Hz: lower is calmer. Default 1.5. */
  readonly minCutoff?: number;
  /** What speed adds to it, Hz a frame's longer side per second: higher lags less. Default 20. */
  readonly beta?: number;
}

/** Cutoff of the speed's own filter, Hz. */
const SPEED_CUTOFF = 1;

/**
 * Removes jitter from points at rest and follows fast ones without lag: a low-pass filter whose cutoff rises with speed. Looks only back, so it can run
 * while frames come. A point that was invisible begins anew; visibility stays.
 *
 * x̂ = α x + (1 − α) x̂₋₁,   α = 1 / (1 + fps / 2π f_c),   f_c = minCutoff + β |ẋ|
 *
 * @see Casiez et al. 2012, "1 € Filter"
 */
export function oneEuro(track: KeypointTrack, { minCutoff = 1.5, beta = 20 }: OneEuroOptions = {}): KeypointTrack {
  const { fps, schema } = track;
  const points = track.points.slice();
  const count = schema.keypoints.length;
  const longer = Math.max(track.width, track.height);
  const [wide, high] = [track.width / longer, track.height / longer];
  const weight = (cutoff: number): number => 1 / (1 + fps / (2 * Math.PI * cutoff));
  for (let k = 0; k < count; k++) {
    let last: { readonly x: number; readonly y: number; readonly vx: number; readonly vy: number } | null = null;
    for (let frame = 0; frame < frameCount(track); frame++) {
      const { x, y, visibility } = keypointAt(track, frame, k);
      if (visibility === 0) last = null;
      else if (last === null) last = { x, y, vx: 0, vy: 0 };
      else {
        const speedWeight = weight(SPEED_CUTOFF);
        const vx: number = last.vx + speedWeight * ((x - last.x) * fps - last.vx);
        const vy: number = last.vy + speedWeight * ((y - last.y) * fps - last.vy);
        const a = weight(minCutoff + beta * Math.hypot(vx * wide, vy * high));
        last = { x: last.x + a * (x - last.x), y: last.y + a * (y - last.y), vx, vy };
        points.set([last.x, last.y], 3 * (frame * count + k));
      }
    }
  }
  return { ...track, points };
}
