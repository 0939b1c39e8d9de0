import type { Picture } from "@omni/human";
import { correlation, measureMouthOpening, stillMask, uniteWindows, type PuppetClip } from "@omni/puppet";

/** Frames of bytes as pictures. */
export function picturesOf(video: Uint8Array, width: number, height: number): Picture[] {
  const area = width * height;
  return Array.from({ length: video.length / (3 * area) }, (_, f) => {
    const data = new Uint8ClampedArray(4 * area).fill(255);
    for (let i = 0; i < area; i++) for (let c = 0; c < 3; c++) data[4 * i + c] = video[(f * area + i) * 3 + c] ?? 0;
    return { width, height, data };
  });
}

export const referencePicture = ({ reference, width, height }: PuppetClip): Picture => {
  const [picture] = picturesOf(reference.image, width, height);
  return picture ?? { width, height, data: new Uint8ClampedArray(4 * width * height) };
};

/** Mouth opening of each frame, in the window that holds the mouth in all true frames. */
export function openings(frames: readonly Picture[], clip: PuppetClip): number[] {
  const window = uniteWindows(clip.mouthWindows);
  return frames.map((frame) => measureMouthOpening(frame, window));
}

/** Correlation of the measured opening with the true one; 0 where either does not change. */
export function mouthCorrelation(frames: readonly Picture[], clip: PuppetClip): number {
  const value = correlation(openings(frames, clip), clip.mouthOpening.subarray(0, frames.length));
  return Number.isFinite(value) ? value : 0;
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, v) => sum + v, 0) / Math.max(1, values.length);

/** 10 log10(255² / mse) over pixels that show no moving part, frames against the reference picture. */
export function stillPsnr(frames: readonly Picture[], clip: PuppetClip): number {
  const { width, height, labels, reference } = clip;
  const all = new Uint8Array(labels.length + reference.labels.length);
  all.set(labels);
  all.set(reference.labels, labels.length);
  const mask = stillMask(all, width, height);
  const still = referencePicture(clip);
  let squares = 0;
  let count = 0;
  for (const { data } of frames)
    for (let i = 0; i < mask.length; i++) {
      if (mask[i] !== 1) continue;
      for (let c = 0; c < 3; c++) squares += ((data[4 * i + c] ?? 0) - (still.data[4 * i + c] ?? 0)) ** 2;
      count += 3;
    }
  return count === 0 ? NaN : 10 * Math.log10(255 ** 2 / Math.max(1e-9, squares / count));
}

/** Half the edge of a patch, and how far it is looked for, pixels. */
const PATCH = 4;
const REACH = 10;

/**
 * Mean distance, in pixels, between a keypoint and the place where the true patch around it is found in the generated frame: the smallest sum of
 * squared differences within 10 pixels. Points outside the frame do not count.
 *
 * @param points indices of the keypoints to follow
 */
export function keypointError(frames: readonly Picture[], clip: PuppetClip, points: readonly number[]): number {
  const { width, height } = clip;
  const truth = picturesOf(clip.video, width, height);
  const perFrame = clip.keypoints.length / clip.frames;
  const distances: number[] = [];
  frames.forEach((frame, f) => {
    const real = truth[f];
    if (!real) return;
    for (const k of points) {
      const at = f * perFrame + 3 * k;
      const [x, y, visible] = [
        Math.round(clip.keypoints[at] ?? 0),
        Math.round(clip.keypoints[at + 1] ?? 0),
        clip.keypoints[at + 2],
      ];
      if (visible !== 1 || x < PATCH || y < PATCH || x >= width - PATCH || y >= height - PATCH) continue;
      distances.push(displacement(real, frame, x, y));
    }
  });
  return mean(distances);
}

function displacement(real: Picture, frame: Picture, x: number, y: number): number {
  let best = Infinity;
  let distance = 0;
  for (let dy = -REACH; dy <= REACH; dy++)
    for (let dx = -REACH; dx <= REACH; dx++) {
      const [u, v] = [x + dx, y + dy];
      if (u < PATCH || v < PATCH || u >= real.width - PATCH || v >= real.height - PATCH) continue;
      const cost = difference(real, x, y, frame, u, v);
      if (cost >= best) continue;
      best = cost;
      distance = Math.hypot(dx, dy);
    }
  return distance;
}

function difference(a: Picture, ax: number, ay: number, b: Picture, bx: number, by: number): number {
  let sum = 0;
  for (let dy = -PATCH; dy <= PATCH; dy++)
    for (let dx = -PATCH; dx <= PATCH; dx++) {
      const i = 4 * ((ay + dy) * a.width + ax + dx);
      const j = 4 * ((by + dy) * b.width + bx + dx);
      for (let c = 0; c < 3; c++) sum += ((a.data[i + c] ?? 0) - (b.data[j + c] ?? 0)) ** 2;
    }
  return sum;
}
