import { place } from "../raster/matrix.ts";
import type { Matrix } from "../raster/matrix.ts";

export const framings = ["portrait", "half", "full"] as const;

/** How much of the person is in the picture: head and shoulders, down to the waist, or all. */
export type Framing = (typeof framings)[number];

/** The still camera: scene units (head units; the origin is the base of the neck) to pixels. */
export interface View {
  readonly width: number;
  readonly height: number;
  /** Pixels per head unit. */
  readonly scale: number;
  /** Pixel position of the scene's origin. */
  readonly x: number;
  readonly y: number;
}

// What must fit, in head units: above the neck's base, below it, and to either side.
const extents = {
  portrait: { above: 2.42, below: 0.72, side: 1.16 },
  half: { above: 2.4, below: 1.56, side: 1.34 },
  full: { above: 2.42, below: 3.28, side: 1.42 },
} as const satisfies Record<Framing, { above: number; below: number; side: number }>;

/**
 * The camera that fits the framing into a frame of any size.
 *
 * @param zoom 1 fits; more is closer
 * @param shiftX sideways move of the person, as a share of the free space, −1 to 1
 */
export function frameView(framing: Framing, width: number, height: number, zoom = 1, shiftX = 0): View {
  const { above, below, side } = extents[framing];
  const scale = zoom * Math.min(height / (above + below), width / (2 * side));
  const spare = height - scale * (above + below);
  const free = Math.max(0, width / 2 - scale * side);
  // Spare height goes mostly below the figure's cut for portraits and half figures, and above for whole figures.
  const top = spare * (framing === "full" ? 0.75 : 0.35);
  return { width, height, scale, x: width / 2 + shiftX * free, y: top + scale * above };
}

export function viewMatrix(view: View): Matrix {
  return place(view.x, view.y, 0, view.scale);
}
