import type { Image } from "./image.ts";
import { keypointAt } from "./track.ts";
import type { KeypointTrack } from "./track.ts";

export interface OverlayOptions {
  /** Width of a limb in pixels; those of hands and face are a third as wide. Default 1/100 of the longer side, at least 1. */
  readonly lineWidth?: number;
  /** Points below it are not drawn. Default 0.05. */
  readonly minVisibility?: number;
}

/**
 * Draws a frame's pose over an image, in place: limbs as lines, points as dots, left limbs in orange, right ones in blue, others
 * in green.
 *
 * @param image RGBA, any size: points are fractions of it
 */
export function drawPose(
  image: Image,
  track: KeypointTrack,
  frame: number,
  { lineWidth = Math.max(1, Math.max(image.width, image.height) / 100), minVisibility = 0.05 }: OverlayOptions = {},
): void {
  const { keypoints, edges, groups } = track.schema;
  const fine = new Set(FINE_PARTS.flatMap((part) => groups[part] ?? []));
  const points = keypoints.map((_, k) => {
    const { x, y, visibility } = keypointAt(track, frame, k);
    return { x: x * image.width, y: y * image.height, shown: visibility >= minVisibility };
  });
  for (const [a, b] of edges) {
    const [from, to] = [points[a], points[b]];
    if (!from?.shown || !to?.shown) continue;
    const width = fine.has(a) && fine.has(b) ? lineWidth / 3 : lineWidth;
    drawLine(image, from, to, width / 2, limbColor(keypoints[a], keypoints[b]));
  }
  for (const [k, point] of points.entries()) {
    if (point.shown)
      drawLine(image, point, point, fine.has(k) ? lineWidth / 3 : lineWidth, limbColor(keypoints[k], keypoints[k]));
  }
}

/** Groups of points that lie close together. */
const FINE_PARTS = ["left_hand", "right_hand", "face"];

type Color = readonly [red: number, green: number, blue: number];
interface Point {
  readonly x: number;
  readonly y: number;
}

function limbColor(a = "", b = ""): Color {
  if (a.startsWith("left") && b.startsWith("left")) return [255, 140, 0];
  if (a.startsWith("right") && b.startsWith("right")) return [40, 120, 255];
  return [60, 200, 80];
}

/** Blends every pixel within `radius` of the segment, with a soft edge of one pixel. */
function drawLine(image: Image, from: Point, to: Point, radius: number, color: Color): void {
  const reach = radius + 1;
  const left = Math.max(0, Math.floor(Math.min(from.x, to.x) - reach));
  const right = Math.min(image.width - 1, Math.ceil(Math.max(from.x, to.x) + reach));
  const top = Math.max(0, Math.floor(Math.min(from.y, to.y) - reach));
  const bottom = Math.min(image.height - 1, Math.ceil(Math.max(from.y, to.y) + reach));
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const distance = distanceToSegment({ x: x + 0.5, y: y + 0.5 }, from, to);
      const cover = Math.min(1, Math.max(0, radius + 0.5 - distance));
      if (cover > 0) blend(image, x, y, color, cover);
    }
  }
}

function distanceToSegment(p: Point, from: Point, to: Point): number {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy;
  const share = length === 0 ? 0 : Math.min(1, Math.max(0, ((p.x - from.x) * dx + (p.y - from.y) * dy) / length));
  return Math.hypot(p.x - from.x - share * dx, p.y - from.y - share * dy);
}

function blend(image: Image, x: number, y: number, color: Color, cover: number): void {
  const at = 4 * (y * image.width + x);
  for (const [channel, value] of color.entries()) {
    const old = image.data[at + channel] ?? 0;
    image.data[at + channel] = old + (value - old) * cover;
  }
  image.data[at + 3] = Math.max(image.data[at + 3] ?? 0, 255 * cover);
}
