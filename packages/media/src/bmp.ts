import type { Image } from "./image.ts";
import { MediaError } from "./media-error.ts";
import { checkPictureLimits } from "./picture-limits.ts";
import type { PictureLimits } from "./pictures.ts";

/** The name `sniff` gives to Windows bitmaps. */
export const bmpFormat = "BMP";

/**
 * Decodes an uncompressed Windows bitmap of 1, 4, 8, 24 or 32 bits a pixel (32: with or without channel masks).
 *
 * @throws MediaError `unsupported` for run-length coded and 16-bit files, `corrupt`, `too-large`
 * @see BITMAPINFOHEADER, Windows GDI reference
 */
export function decodeBmp(bytes: Uint8Array, name: string, limits: PictureLimits): Image {
  if (bytes.length < 54) throw cutShort(name);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pixels = view.getUint32(10, true);
  const headerSize = view.getUint32(14, true);
  const width = view.getInt32(18, true);
  const signedHeight = view.getInt32(22, true);
  const bits = view.getUint16(28, true);
  const compression = view.getUint32(30, true);
  const height = Math.abs(signedHeight);
  const masked = bits === 32 && (compression === 3 || compression === 6);
  if (headerSize < 40 || ![1, 4, 8, 24, 32].includes(bits) || !(compression === 0 || masked)) {
    throw new MediaError("unsupported", name, "this kind of BMP (compressed or 16-bit) cannot be read; save it as PNG");
  }
  if (width <= 0 || height === 0) throw new MediaError("corrupt", name, "the BMP has no size; save it again");
  checkPictureLimits(name, width, height, limits);
  const stride = 4 * Math.ceil((bits * width) / 32);
  if (pixels + stride * height > bytes.length) throw cutShort(name);

  const colours = bits <= 8 ? palette(view, 14 + headerSize, pixels) : new Uint8Array();
  const [red, green, blue, alpha] = masked ? maskShifts(view) : [16, 8, 0, -1];
  const data = new Uint8ClampedArray(4 * width * height);
  for (let y = 0; y < height; y++) {
    const row = pixels + stride * (signedHeight > 0 ? height - 1 - y : y);
    for (let x = 0; x < width; x++) {
      const o = 4 * (y * width + x);
      if (bits <= 8) {
        const packed = bytes[row + ((x * bits) >> 3)] ?? 0;
        const index = (packed >> (8 - bits - ((x * bits) & 7))) & ((1 << bits) - 1);
        for (let c = 0; c < 3; c++) data[o + c] = colours[4 * index + 2 - c] ?? 0;
        data[o + 3] = 255;
        continue;
      }
      const p = row + (x * bits) / 8;
      const value = bits === 32 ? view.getUint32(p, true) : view.getUint16(p, true) | ((bytes[p + 2] ?? 0) << 16);
      data[o] = (value >>> red) & 255;
      data[o + 1] = (value >>> green) & 255;
      data[o + 2] = (value >>> blue) & 255;
      data[o + 3] = alpha < 0 ? 255 : (value >>> alpha) & 255;
    }
  }
  return { width, height, data };
}

function palette(view: DataView, from: number, to: number): Uint8Array {
  const end = Math.min(to, from + 1024, view.byteLength);
  return new Uint8Array(view.buffer, view.byteOffset + from, Math.max(0, end - from));
}

/** Bit positions of red, green, blue and alpha (-1: opaque) from 8-bit channel masks. */
function maskShifts(view: DataView): [number, number, number, number] {
  const shift = (at: number) => {
    const mask = at + 4 <= view.byteLength ? view.getUint32(at, true) : 0;
    return mask === 0 ? -1 : 31 - Math.clz32(mask & -mask);
  };
  const hasAlpha = view.getUint32(14, true) >= 56;
  return [Math.max(0, shift(54)), Math.max(0, shift(58)), Math.max(0, shift(62)), hasAlpha ? shift(66) : -1];
}

function cutShort(name: string): MediaError {
  return new MediaError("corrupt", name, "the BMP is cut short; save or copy it again");
}
