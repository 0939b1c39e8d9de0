import type { Image } from "../image.ts";

/** A point of a picture, pixels from its top left corner. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A square of a picture, which may lie across and reach over the edges. */
export interface Square {
  /** Centre, pixels. */
  readonly x: number;
  readonly y: number;
  /** Side, pixels. */
  readonly size: number;
  /** Clockwise turn in radians: 0 is upright. */
  readonly angle: number;
}

/** The smallest upright square that holds a picture. */
export function wholeSquare({ width, height }: Pick<Image, "width" | "height">): Square {
  return { x: width / 2, y: height / 2, size: Math.max(width, height), angle: 0 };
}

/** Where a point of the square, in fractions of its side from its own top left, lies in the picture. */
export function fromSquare(square: Square, u: number, v: number): Point {
  const [right, down] = [(u - 0.5) * square.size, (v - 0.5) * square.size];
  const [cos, sin] = [Math.cos(square.angle), Math.sin(square.angle)];
  return { x: square.x + cos * right - sin * down, y: square.y + sin * right + cos * down };
}

/**
 * The square resized to n × n pixels: each is the mean of as many bilinear samples as it covers pixels. Outside of the picture is black, and so is
 * what is transparent.
 *
 * @returns [n, n, 3], 0 to 255
 */
export function cropSquare(image: Image, square: Square, n: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(n * n * 3);
  const samples = Math.max(1, Math.ceil(square.size / n));
  const weight = 1 / samples ** 2;
  const step = 1 / (n * samples);
  for (let row = 0; row < n * samples; row++) {
    for (let column = 0; column < n * samples; column++) {
      const { x, y } = fromSquare(square, (column + 0.5) * step, (row + 0.5) * step);
      const at = 3 * (Math.floor(row / samples) * n + Math.floor(column / samples));
      addBilinear(image, x - 0.5, y - 0.5, weight, out, at);
    }
  }
  return out;
}

function addBilinear(image: Image, x: number, y: number, weight: number, out: Float32Array, at: number): void {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  for (let corner = 0; corner < 4; corner++) {
    const [column, row] = [left + (corner & 1), top + (corner >> 1)];
    if (column < 0 || row < 0 || column >= image.width || row >= image.height) continue;
    const near = (1 - Math.abs(x - column)) * (1 - Math.abs(y - row));
    const from = 4 * (row * image.width + column);
    const share = weight * near * ((image.data[from + 3] ?? 0) / 255);
    for (let c = 0; c < 3; c++) out[at + c] = (out[at + c] ?? 0) + share * (image.data[from + c] ?? 0);
  }
}
