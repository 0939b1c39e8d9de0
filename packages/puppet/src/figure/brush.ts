import type { Canvas } from "../raster/canvas.ts";
import { Path } from "../raster/path.ts";
import { shade } from "../raster/paint.ts";
import type { Paint, Rgb } from "../raster/paint.ts";
import type { View } from "./view.ts";

/** Labels of the pixels of a frame, from back to front. */
export const partNames = [
  "background",
  "body",
  "head",
  "hair",
  "eyes",
  "brows",
  "mouth",
  "arms",
  "leftHand",
  "rightHand",
] as const;

export type PartName = (typeof partNames)[number];

/** The label that stands for a part. */
export function partLabel(name: PartName): number {
  return partNames.indexOf(name);
}

/** What the drawing functions share: where to draw, one reused path, the line width in pixels. */
export interface Brush {
  readonly canvas: Canvas;
  readonly path: Path;
  readonly line: number;
}

export function makeBrush(canvas: Canvas, view: View): Brush {
  return { canvas, path: new Path(), line: Math.max(0.35, 0.026 * view.scale) };
}

/** Fill the brush's path with its own darker outline. */
export function ink(brush: Brush, paint: Paint, base: Rgb, part: PartName, line = 1): void {
  brush.canvas.fillOutlined(brush.path, paint, shade(base, 0.56), brush.line * line, partLabel(part));
}
