import type { Sharp } from "sharp";
import { bmpFormat, decodeBmp } from "./bmp.ts";
import type { Image } from "./image.ts";
import { MediaError, causeText } from "./media-error.ts";
import { checkPictureLimits } from "./picture-limits.ts";
import type { Pictures } from "./pictures.ts";

/** Pictures through libvips, in Node. */
export const pictures: Pictures = {
  readable: ["PNG", "JPEG", "WebP", "GIF", "AVIF", "TIFF", bmpFormat],

  async decode(bytes, name, limits) {
    if (bytes[0] === 0x42 && bytes[1] === 0x4d) return decodeBmp(bytes, name, limits);
    const sharp = await loadSharp();
    try {
      // "error": a file cut short is refused, a harmless oddity is not. Limits are checked before pixels are decoded.
      const source = sharp(bytes, { failOn: "error", limitInputPixels: false });
      const { width, height } = await source.metadata();
      checkPictureLimits(name, width, height, limits);
      return await rgba(source);
    } catch (cause) {
      throw undecodable(name, cause);
    }
  },

  async encode(image, format, name) {
    const sharp = await loadSharp();
    const { width, height, data } = image;
    try {
      const picture = sharp(data, { raw: { width, height, channels: 4 } });
      return new Uint8Array(await (format === "jpeg" ? picture.jpeg({ quality: 92 }) : picture[format]()).toBuffer());
    } catch (cause) {
      throw new MediaError("invalid", name, `the picture cannot be encoded (${causeText(cause)})`, cause);
    }
  },

  async encodeAnimation(frames, fps, format, name) {
    const sharp = await loadSharp();
    const [first] = frames;
    if (first === undefined) throw new MediaError("invalid", name, "an animation needs at least one frame, got 0");
    const { width, height } = first;
    // libvips takes an animation as one tall picture.
    const stack = new Uint8Array(frames.length * 4 * width * height);
    for (const [index, frame] of frames.entries()) {
      if (frame.width !== width || frame.height !== height) {
        const sizes = `${width}x${height} and ${frame.width}x${frame.height}`;
        throw new MediaError("invalid", name, `all frames must be of one size, got ${sizes}`);
      }
      stack.set(frame.data, index * 4 * width * height);
    }
    const raw = { width, height: height * frames.length, channels: 4, pageHeight: height } as const;
    const picture = sharp(stack, { raw, limitInputPixels: false });
    const delay = frameDelays(frames.length, fps);
    try {
      const encoded =
        format === "gif" ? picture.gif({ delay, loop: 0 }) : picture.webp({ delay, loop: 0, quality: 85 });
      return new Uint8Array(await encoded.toBuffer());
    } catch (cause) {
      throw new MediaError("invalid", name, `the animation cannot be encoded (${causeText(cause)})`, cause);
    }
  },
};

async function rgba(source: Sharp): Promise<Image> {
  const { data, info } = await source
    .autoOrient()
    .toColourspace("srgb")
    .ensureAlpha()
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  if (channels !== 4) throw new Error(`decoded to ${channels} channels`);
  return { width, height, data: new Uint8ClampedArray(data.buffer, data.byteOffset, data.byteLength) };
}

function undecodable(name: string, cause: unknown): MediaError {
  if (cause instanceof MediaError) return cause;
  const advice = `the picture is damaged or cut short (${causeText(cause)}); save or copy it again`;
  return new MediaError("corrupt", name, advice, cause);
}

async function loadSharp() {
  try {
    return (await import("sharp")).default;
  } catch (cause) {
    const advice = `this package cannot be loaded (${causeText(cause)}); install it with: npm install sharp`;
    throw new MediaError("unavailable", "sharp", advice, cause);
  }
}

/** Milliseconds a frame, rounded so that errors do not add up. */
function frameDelays(count: number, fps: number): number[] {
  const at = (frame: number) => Math.round((1000 * frame) / fps);
  return Array.from({ length: count }, (_, frame) => at(frame + 1) - at(frame));
}
