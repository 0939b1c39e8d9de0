import { mouthInterior } from "./palette.ts";

/** A rectangle of pixels to look for the open mouth in, and the size of the head there. */
export interface MouthWindow {
  readonly x0: number;
  readonly y0: number;
  /** Exclusive. */
  readonly x1: number;
  readonly y1: number;
  /** Pixels per head unit (half the head's height). */
  readonly headSize: number;
}

/** A picture in bytes with 3 or 4 channels, row-major. */
export interface PixelFrame {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

const red = mouthInterior[0] - mouthInterior[1];
const blue = mouthInterior[2] - mouthInterior[1];
// Lips and the mixture of dark lines with skin stay below this.
const floor = 0.12;

/**
 * How much a pixel is of the mouth interior's colour, 0–1.
 *
 * With R−G and B−G over their values at the interior as r and b: the mean of the two (nearly linear in the mixing share with any
 * skin, whose b is negative), but not above 1.5·r (which shuts out blue and grey).
 */
export function interiorShare(r: number, g: number, b: number): number {
  const byRed = (r - g) / red;
  const mean = 0.5 * (byRed + (b - g) / blue);
  return Math.min(1, Math.max(0, (Math.min(mean, 1.5 * byRed) - floor) / (1 - floor)));
}

/**
 * Opening of the mouth measured from pixels: the soft area of the interior's colour in the window over the squared head
 * size.
 *
 * opening = Σ share(pixel) / headSize²
 *
 * @param frame RGB or RGBA bytes
 * @param window where the mouth is, in pixels
 * @returns about 0 when shut, about 0.17 when wide open
 */
export function measureMouthOpening(frame: PixelFrame, window: MouthWindow): number {
  const { width, height, data } = frame;
  const channels = data.length / (width * height);
  let area = 0;
  for (let y = Math.max(0, Math.floor(window.y0)); y < Math.min(height, Math.ceil(window.y1)); y++) {
    for (let x = Math.max(0, Math.floor(window.x0)); x < Math.min(width, Math.ceil(window.x1)); x++) {
      const p = (y * width + x) * channels;
      area += interiorShare(data[p] ?? 0, data[p + 1] ?? 0, data[p + 2] ?? 0);
    }
  }
  return area / (window.headSize * window.headSize);
}
