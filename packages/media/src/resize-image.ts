import { type Image, checkSize } from "./image.ts";
import { MediaError } from "./media-error.ts";

/** A rectangle of the source in pixels, fractions allowed. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Options of {@link resizeImage}. */
export interface ResizeOptions {
  /** Part of the source to take; default all of it. */
  readonly box?: Box;
  /** `smooth` (default) is the antialiased cubic; `nearest` keeps hard pixel edges. */
  readonly kernel?: "smooth" | "nearest";
}

/**
 * Resizes a picture with an antialiased Catmull-Rom kernel (a = -1/2), widened by the scale when shrinking.
 *
 * It works on sRGB values, not on linear light, as PIL and torchvision do: pretrained encoders expect that. Colour is
 * weighted by alpha. Only additions, multiplications and divisions: the same bytes in every engine.
 *
 * @param width of the result, pixels
 * @param height of the result, pixels
 * @throws MediaError `invalid` when a side is not a positive whole number or the box leaves the picture
 * @see Keys 1981, "Cubic convolution interpolation for digital image processing"
 */
export function resizeImage(image: Image, width: number, height: number, options: ResizeOptions = {}): Image {
  const { box = { x: 0, y: 0, width: image.width, height: image.height }, kernel = "smooth" } = options;
  checkSize("resizeImage", width, height);
  checkBox(image, box);
  const taps = kernel === "smooth" ? cubicTaps : nearestTaps;
  const horizontal = taps(image.width, box.x, box.width, width);
  const vertical = taps(image.height, box.y, box.height, height);
  const opaque = isOpaque(image);
  const first = Math.min(...vertical.start);
  const rows = resizeRows(image, horizontal, first, lastTap(vertical), opaque);
  return resizeColumns(rows, first, width, height, vertical, opaque);
}

/**
 * The largest box of a picture's middle with the ratio of a target size: resizing it to that size stretches nothing.
 *
 * @param focus the point to keep in view, as fractions of the sides
 */
export function coverBox(
  image: Image,
  width: number,
  height: number,
  focus: readonly [x: number, y: number] = [0.5, 0.5],
): Box {
  const scale = Math.min(image.width / width, image.height / height);
  const boxWidth = Math.min(image.width, width * scale);
  const boxHeight = Math.min(image.height, height * scale);
  const place = (full: number, size: number, at: number) => Math.min(full - size, Math.max(0, at * full - size / 2));
  return {
    x: place(image.width, boxWidth, focus[0]),
    y: place(image.height, boxHeight, focus[1]),
    width: boxWidth,
    height: boxHeight,
  };
}

/** For each output position: the first source position, and `count` weights that sum to 1. */
interface Taps {
  readonly start: Int32Array;
  readonly weights: Float64Array;
  readonly count: number;
}

function cubicTaps(size: number, from: number, length: number, outputs: number): Taps {
  const scale = length / outputs;
  const widen = Math.max(1, scale);
  const count = Math.min(size, Math.ceil(4 * widen) + 1);
  const start = new Int32Array(outputs);
  const weights = new Float64Array(outputs * count);
  for (let o = 0; o < outputs; o++) {
    const centre = from + (o + 0.5) * scale;
    const first = Math.min(size - count, Math.max(0, Math.floor(centre - 2 * widen)));
    let sum = 0;
    for (let t = 0; t < count; t++) {
      const weight = catmullRom((first + t + 0.5 - centre) / widen);
      weights[o * count + t] = weight;
      sum += weight;
    }
    for (let t = 0; t < count; t++) weights[o * count + t] = (weights[o * count + t] ?? 0) / sum;
    start[o] = first;
  }
  return { start, weights, count };
}

function nearestTaps(size: number, from: number, length: number, outputs: number): Taps {
  const start = new Int32Array(outputs);
  for (let o = 0; o < outputs; o++) {
    start[o] = Math.min(size - 1, Math.floor(from + ((o + 0.5) * length) / outputs));
  }
  return { start, weights: new Float64Array(outputs).fill(1), count: 1 };
}

function catmullRom(offset: number): number {
  const x = Math.abs(offset);
  if (x >= 2) return 0;
  if (x >= 1) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return (1.5 * x - 2.5) * x * x + 1;
}

/** Rows `first` to `last` of the source, resized along x: [last - first + 1, width, 4], premultiplied unless opaque. */
function resizeRows(image: Image, taps: Taps, first: number, last: number, opaque: boolean): Float32Array {
  const { start, weights, count } = taps;
  const width = start.length;
  const out = new Float32Array(4 * width * (last - first + 1));
  let o = 0;
  for (let row = first; row <= last; row++) {
    for (let x = 0; x < width; x++, o += 4) {
      let p = 4 * (row * image.width + (start[x] ?? 0));
      let red = 0;
      let green = 0;
      let blue = 0;
      let alpha = 0;
      for (let t = x * count; t < (x + 1) * count; t++, p += 4) {
        const weight = weights[t] ?? 0;
        const share = opaque ? weight : (weight * (image.data[p + 3] ?? 0)) / 255;
        red += share * (image.data[p] ?? 0);
        green += share * (image.data[p + 1] ?? 0);
        blue += share * (image.data[p + 2] ?? 0);
        alpha += share;
      }
      out[o] = red;
      out[o + 1] = green;
      out[o + 2] = blue;
      out[o + 3] = alpha;
    }
  }
  return out;
}

function resizeColumns(
  rows: Float32Array,
  first: number,
  width: number,
  height: number,
  taps: Taps,
  opaque: boolean,
): Image {
  const { start, weights, count } = taps;
  const data = new Uint8ClampedArray(4 * width * height);
  const sum = new Float64Array(4 * width);
  for (let y = 0; y < height; y++) {
    sum.fill(0);
    for (let t = 0; t < count; t++) {
      const weight = weights[y * count + t] ?? 0;
      const row = ((start[y] ?? 0) - first + t) * 4 * width;
      for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + weight * (rows[row + i] ?? 0);
    }
    const out = 4 * y * width;
    for (let i = 0; i < sum.length; i += 4) {
      const alpha = opaque ? 1 : (sum[i + 3] ?? 0);
      // Below half of 1/255 the pixel is transparent and has no colour.
      const scale = alpha > 1 / 510 ? 1 / alpha : 0;
      for (let c = 0; c < 3; c++) data[out + i + c] = (sum[i + c] ?? 0) * scale;
      data[out + i + 3] = 255 * alpha;
    }
  }
  return { width, height, data };
}

function lastTap({ start, count }: Taps): number {
  return Math.max(...start) + count - 1;
}

function isOpaque({ data }: Image): boolean {
  for (let i = 3; i < data.length; i += 4) if (data[i] !== 255) return false;
  return true;
}

function checkBox(image: Image, box: Box): void {
  // A box computed in floating point may leave the picture by rounding.
  const slack = 1e-6 * Math.max(image.width, image.height);
  const inside =
    box.width > 0 &&
    box.height > 0 &&
    box.x >= -slack &&
    box.y >= -slack &&
    box.x + box.width <= image.width + slack &&
    box.y + box.height <= image.height + slack;
  if (inside) return;
  const text = `${box.width}x${box.height} at ${box.x}, ${box.y}`;
  throw new MediaError(
    "invalid",
    "resizeImage",
    `the box must lie inside the ${image.width}x${image.height} picture, got ${text}`,
  );
}
