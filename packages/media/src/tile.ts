import { type Image, type Rgb, createImage } from "./image.ts";
import { MediaError } from "./media-error.ts";

/** How {@link tile} lays pictures out. */
export interface TileOptions {
  /** Pixels between pictures and around them; default 2. */
  readonly gap?: number;
  /** Colour of the gaps; default white. */
  readonly background?: Rgb;
}

/**
 * A contact sheet: pictures in rows of `columns`, each in a cell as large as the largest, at the cell's top left.
 *
 * @throws MediaError `invalid` without pictures or columns
 */
export function tile(images: readonly Image[], columns: number, options: TileOptions = {}): Image {
  const { gap = 2, background = [255, 255, 255] } = options;
  if (images.length === 0) throw new MediaError("invalid", "tile", "there must be at least one picture, got 0");
  if (!Number.isInteger(columns) || columns < 1) {
    throw new MediaError("invalid", "tile", `columns must be a positive whole number, got ${columns}`);
  }
  const across = Math.min(columns, images.length);
  const down = Math.ceil(images.length / across);
  const cellWidth = Math.max(...images.map((image) => image.width));
  const cellHeight = Math.max(...images.map((image) => image.height));
  const sheet = createImage(gap + across * (cellWidth + gap), gap + down * (cellHeight + gap), background);
  for (const [index, image] of images.entries()) {
    const x = gap + (index % across) * (cellWidth + gap);
    const y = gap + Math.floor(index / across) * (cellHeight + gap);
    for (let row = 0; row < image.height; row++) {
      const pixels = image.data.subarray(4 * row * image.width, 4 * (row + 1) * image.width);
      sheet.data.set(pixels, 4 * ((y + row) * sheet.width + x));
    }
  }
  return sheet;
}
