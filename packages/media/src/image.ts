import { MediaError } from "./media-error.ts";

/** A picture: RGBA, 8 bits a channel, sRGB, alpha not premultiplied, row-major from the top left. */
export interface Image {
  readonly width: number;
  readonly height: number;
  /** 4 · width · height values. */
  readonly data: Uint8ClampedArray;
}

/** An RGB colour, 0 to 255 each. */
export type Rgb = readonly [red: number, green: number, blue: number];

/**
 * A picture of one colour, by default transparent black.
 *
 * @throws MediaError `invalid` when a side is not a positive whole number
 */
export function createImage(width: number, height: number, colour?: Rgb): Image {
  checkSize("createImage", width, height);
  const data = new Uint8ClampedArray(4 * width * height);
  if (colour !== undefined) for (let i = 0; i < data.length; i += 4) data.set([...colour, 255], i);
  return { width, height, data };
}

/**
 * A rectangle of a picture. What lies outside the picture is filled with `background` (default transparent black).
 *
 * @param x left edge in pixels, may be negative
 * @param y top edge in pixels, may be negative
 */
export function cropImage(image: Image, x: number, y: number, width: number, height: number, background?: Rgb): Image {
  const out = createImage(width, height, background);
  const from = Math.max(0, x);
  const to = Math.min(image.width, x + width);
  if (to <= from) return out;
  for (let row = Math.max(0, -y); row < height && y + row < image.height; row++) {
    const start = (y + row) * image.width;
    out.data.set(image.data.subarray(4 * (start + from), 4 * (start + to)), 4 * (row * width + from - x));
  }
  return out;
}

/** How a picture of one aspect ratio becomes one of another without being stretched. */
export interface FitOptions {
  /** `crop` (default) cuts what is too much, `pad` adds background. */
  readonly mode?: "crop" | "pad";
  /** The point to keep in view when cropping, as fractions of the sides; default the centre, [0.5, 0.5]. */
  readonly focus?: readonly [x: number, y: number];
  /** Colour of the padding; default transparent black. */
  readonly background?: Rgb;
}

/**
 * Crops or pads a picture to an aspect ratio at its own resolution; never stretches it.
 *
 * @param aspect width / height
 * @returns a picture whose ratio is `aspect` up to rounding one side to a whole pixel
 */
export function fitToAspect(image: Image, aspect: number, options: FitOptions = {}): Image {
  const { mode = "crop", focus = [0.5, 0.5], background } = options;
  if (!(aspect > 0) || !Number.isFinite(aspect)) {
    throw new MediaError("invalid", "fitToAspect", `the aspect ratio must be a positive number, got ${aspect}`);
  }
  const tooWide = image.width / image.height > aspect;
  const keepHeight = tooWide === (mode === "crop");
  const width = keepHeight ? Math.max(1, Math.round(image.height * aspect)) : image.width;
  const height = keepHeight ? image.height : Math.max(1, Math.round(image.width / aspect));
  if (width === image.width && height === image.height) return image;
  const x = offset(image.width, width, focus[0]);
  const y = offset(image.height, height, focus[1]);
  return cropImage(image, x, y, width, height, background);
}

/** Where a window of `size` starts in a side of `full` so that `focus` is as near its middle as the side allows. */
function offset(full: number, size: number, focus: number): number {
  if (size >= full) return -Math.floor((size - full) / 2);
  return Math.min(full - size, Math.max(0, Math.round(focus * full - size / 2)));
}

/**
 * Lays a picture on a background, so that no transparency is left.
 *
 * c = α c + (1 - α) background, in sRGB values as browsers do
 */
export function flattenImage(image: Image, background: Rgb = [255, 255, 255]): Image {
  const data = new Uint8ClampedArray(image.data.length);
  for (let i = 0; i < data.length; i += 4) {
    const alpha = (image.data[i + 3] ?? 0) / 255;
    for (let c = 0; c < 3; c++) data[i + c] = alpha * (image.data[i + c] ?? 0) + (1 - alpha) * (background[c] ?? 0);
    data[i + 3] = 255;
  }
  return { width: image.width, height: image.height, data };
}

/** @throws MediaError `invalid` when a side is not a positive whole number */
export function checkSize(op: string, width: number, height: number): void {
  if (Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0) return;
  throw new MediaError("invalid", op, `sides must be positive whole numbers of pixels, got ${width}x${height}`);
}
