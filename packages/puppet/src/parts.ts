import { partLabel, partNames } from "./figure/brush.ts";
import type { PartName } from "./figure/brush.ts";
import { eyeMatrix, eyeSize, mouthGape, mouthGeometry, mouthMatrix } from "./figure/face.ts";
import { fingertips, palm } from "./figure/skeleton.ts";
import type { Point, Skeleton } from "./figure/skeleton.ts";
import type { MouthWindow } from "./mouth-measure.ts";
import { apply, compose, scaleOf } from "./raster/matrix.ts";

export { partLabel, partNames };
export type { PartName };

/** The parts that have a box, in the order of the box arrays. */
export const boxNames = ["mouth", "leftEye", "rightEye", "leftHand", "rightHand", "head"] as const;

/** Write the boxes of one frame as x0, y0, x1, y1 in pixels, cut to the frame; a part outside has x1 ≤ x0 or y1 ≤ y0. */
export function writeBoxes(skeleton: Skeleton, out: Float32Array, offset: number): void {
  const { view, scene } = skeleton;
  const { half } = mouthGeometry(skeleton);
  const mouth = mouthMatrix(skeleton);
  const shapes: Point[][] = [
    [
      [-half - 0.06, -0.2],
      [half + 0.06, -0.2],
      [-half - 0.06, mouthGape],
      [half + 0.06, mouthGape],
    ].map(([x, y]) => apply(mouth, x ?? 0, y ?? 0)),
    ...([1, -1] as const).map((side) => {
      const { rx, ry } = eyeSize(skeleton);
      const matrix = eyeMatrix(skeleton, side);
      return [-1.15, 1.15].flatMap((x) => [-1.15, 1.15].map((y) => apply(matrix, x * rx, y * ry)));
    }),
    ...[skeleton.left, skeleton.right].map((arm) => {
      const hand = compose(scene, arm.hand);
      const margin = 0.07;
      const points: Point[] = [[-0.1, 0], [palm[0], -0.17], [palm[0], 0.17], ...fingertips(arm.state)];
      return points.flatMap(([x, y]) => [apply(hand, x - margin, y - margin), apply(hand, x + margin, y + margin)]);
    }),
    [-1.05, 1.05].flatMap((x) => [-1.15, 1.12].map((y) => apply(skeleton.head, x, y))),
  ];
  shapes.forEach((points, i) => {
    const xs = points.map(([x]) => x);
    const ys = points.map(([, y]) => y);
    const clamp = (value: number, limit: number): number => Math.max(0, Math.min(limit, value));
    out[offset + 4 * i] = clamp(Math.min(...xs), view.width);
    out[offset + 4 * i + 1] = clamp(Math.min(...ys), view.height);
    out[offset + 4 * i + 2] = clamp(Math.max(...xs), view.width);
    out[offset + 4 * i + 3] = clamp(Math.max(...ys), view.height);
  });
}

/** Where to measure the mouth's opening: the lower face, with room for the head's motion. */
export function mouthWindowOf(skeleton: Skeleton): MouthWindow {
  const [x, y] = apply(mouthMatrix(skeleton), 0, 0.14);
  const headSize = scaleOf(skeleton.head);
  return {
    x0: x - 0.55 * headSize,
    y0: y - 0.42 * headSize,
    x1: x + 0.55 * headSize,
    y1: y + 0.48 * headSize,
    headSize,
  };
}

/** The smallest window that holds all the given ones; the head size is their mean. For frames whose head moves by itself. */
export function uniteWindows(windows: readonly MouthWindow[]): MouthWindow {
  return {
    x0: Math.min(...windows.map(({ x0 }) => x0)),
    y0: Math.min(...windows.map(({ y0 }) => y0)),
    x1: Math.max(...windows.map(({ x1 }) => x1)),
    y1: Math.max(...windows.map(({ y1 }) => y1)),
    headSize: windows.reduce((sum, { headSize }) => sum + headSize, 0) / windows.length,
  };
}

/** 1 where a label is one of the parts, else 0. */
export function partMask(labels: Uint8Array, parts: readonly PartName[]): Uint8Array {
  const wanted = new Set(parts.map(partLabel));
  return labels.map((label) => (wanted.has(label) ? 1 : 0));
}

const restless: readonly PartName[] = ["eyes", "brows", "mouth", "arms", "leftHand", "rightHand"];

/**
 * Pixels outside the moving parts, for picture quality that owes nothing to motion: 1 where no frame shows eyes, brows,
 * mouth, arms or hands, and every frame (and its neighbours within one pixel) shows the same part.
 *
 * @param labels [frames, height, width], the reference's labels included if it is compared with
 * @returns [height, width]
 */
export function stillMask(labels: Uint8Array, width: number, height: number): Uint8Array {
  const size = width * height;
  const moving = new Set(restless.map(partLabel));
  const raw = new Uint8Array(size).fill(1);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] ?? 0;
    if (moving.has(label) || label !== labels[i % size]) raw[i % size] = 0;
  }
  return raw.map((_, i) => {
    const x = i % width;
    const y = Math.floor(i / width);
    for (let dy = -1; dy <= 1; dy++) {
      for (let dx = -1; dx <= 1; dx++) {
        const nx = x + dx;
        const ny = y + dy;
        if (nx >= 0 && ny >= 0 && nx < width && ny < height && raw[ny * width + nx] === 0) return 0;
      }
    }
    return 1;
  });
}
