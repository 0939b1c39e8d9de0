import { bmpFormat } from "./bmp.ts";
import { MediaError, causeText } from "./media-error.ts";
import { checkPictureLimits } from "./picture-limits.ts";
import type { Pictures } from "./pictures.ts";

/** Pictures through `createImageBitmap` and a canvas, in a browser. */
export const pictures: Pictures = {
  readable: ["PNG", "JPEG", "WebP", "GIF", "AVIF", bmpFormat],

  async decode(bytes, name, limits) {
    const options = { imageOrientation: "from-image", premultiplyAlpha: "none" } as const;
    const bitmap = await createImageBitmap(new Blob([Uint8Array.from(bytes)]), options).catch((cause: unknown) => {
      const advice = `the picture is damaged or cut short (${causeText(cause)}); save or copy it again`;
      throw new MediaError("corrupt", name, advice, cause);
    });
    try {
      const { width, height } = bitmap;
      checkPictureLimits(name, width, height, limits);
      const context = contextOf(width, height);
      context.drawImage(bitmap, 0, 0);
      return { width, height, data: new Uint8ClampedArray(context.getImageData(0, 0, width, height).data) };
    } finally {
      bitmap.close();
    }
  },

  async encode(image, format) {
    const context = contextOf(image.width, image.height);
    context.putImageData(new ImageData(new Uint8ClampedArray(image.data), image.width, image.height), 0, 0);
    const blob = await context.canvas.convertToBlob({ type: `image/${format}`, quality: 0.92 });
    return new Uint8Array(await blob.arrayBuffer());
  },

  encodeAnimation: (_frames, _fps, format, name) =>
    Promise.reject(
      new MediaError("unavailable", name, `browsers cannot write animated ${format}; write a video, or do it in Node`),
    ),
};

function contextOf(width: number, height: number): OffscreenCanvasRenderingContext2D {
  const context = new OffscreenCanvas(width, height).getContext("2d", { colorSpace: "srgb" });
  if (context !== null) return context;
  throw new MediaError(
    "unavailable",
    "OffscreenCanvas",
    "this browser gives no 2D canvas; close other pages or update it",
  );
}
