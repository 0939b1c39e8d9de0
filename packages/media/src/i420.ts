import type { Image } from "./image.ts";

/** Planar 4:2:0 video, 8 bits: luma, then both chroma planes at half size, sides rounded up. */
export interface I420 {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Weights of red and blue in luma, and whether 0 to 255 is used in full. */
export interface YuvSpace {
  readonly kr: number;
  readonly kb: number;
  readonly fullRange: boolean;
}

/** BT.709, limited range: what we write. */
export const bt709: YuvSpace = { kr: 0.2126, kb: 0.0722, fullRange: false };
/** BT.601: what files without a tag of at most 576 lines mostly hold. */
export const bt601: YuvSpace = { kr: 0.299, kb: 0.114, fullRange: false };

/** Bytes of an I420 picture. */
export function i420Size(width: number, height: number): number {
  return width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2);
}

/**
 * Converts RGB to BT.709 in limited range; chroma is the mean of each 2x2 block. Alpha is ignored.
 *
 * Y = 16 + 219 (kr R + kg G + kb B),   Cb = 128 + 224 (B - Y') / (2 (1 - kb)),   Cr likewise
 *
 * @param pixels [height, width, channels] with 3 or 4 channels, 0 to 255
 * @param width even
 * @param height even
 * @see ITU-R BT.709-6, section 3
 */
export function toI420(
  pixels: Uint8Array | Uint8ClampedArray,
  width: number,
  height: number,
  channels: 3 | 4,
  { kr, kb } = bt709,
): I420 {
  const data = new Uint8Array(i420Size(width, height));
  const half = width / 2;
  const blueAt = width * height;
  const redAt = blueAt + half * (height / 2);
  const kg = 1 - kr - kb;
  const blueScale = 224 / 255 / (8 * (1 - kb));
  const redScale = 224 / 255 / (8 * (1 - kr));
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2) {
      let lumas = 0;
      let reds = 0;
      let blues = 0;
      for (let corner = 0; corner < 4; corner++) {
        const at = (y + (corner >> 1)) * width + x + (corner & 1);
        const red = pixels[at * channels] ?? 0;
        const blue = pixels[at * channels + 2] ?? 0;
        const luma = kr * red + kg * (pixels[at * channels + 1] ?? 0) + kb * blue;
        data[at] = 16.5 + (219 / 255) * luma;
        lumas += luma;
        reds += red;
        blues += blue;
      }
      const at = (y / 2) * half + x / 2;
      data[blueAt + at] = 128.5 + (blues - lumas) * blueScale;
      data[redAt + at] = 128.5 + (reds - lumas) * redScale;
    }
  }
  return { width, height, data };
}

/** Converts to RGB; each chroma sample serves its 2x2 block. The inverse of {@link toI420} up to rounding and chroma. */
export function fromI420({ width, height, data }: I420, { kr, kb, fullRange }: YuvSpace): Image {
  const out = new Uint8ClampedArray(4 * width * height);
  const half = Math.ceil(width / 2);
  const blueAt = width * height;
  const redAt = blueAt + half * Math.ceil(height / 2);
  const kg = 1 - kr - kb;
  const lumaScale = fullRange ? 1 : 255 / 219;
  const chromaScale = fullRange ? 1 : 255 / 224;
  const black = fullRange ? 0 : 16;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const chroma = (y >> 1) * half + (x >> 1);
      const luma = ((data[at] ?? 0) - black) * lumaScale;
      const red = luma + 2 * (1 - kr) * ((data[redAt + chroma] ?? 0) - 128) * chromaScale;
      const blue = luma + 2 * (1 - kb) * ((data[blueAt + chroma] ?? 0) - 128) * chromaScale;
      out[4 * at] = red;
      out[4 * at + 1] = (luma - kr * red - kb * blue) / kg;
      out[4 * at + 2] = blue;
      out[4 * at + 3] = 255;
    }
  }
  return { width, height, data: out };
}
