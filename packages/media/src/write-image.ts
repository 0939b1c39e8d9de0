import { files } from "#files";
import { pictures } from "#pictures";
import type { Image } from "./image.ts";
import { MediaError } from "./media-error.ts";

const encoders = { ".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp" } as const;
const animations = { ".webp": "webp", ".gif": "gif" } as const;

/** Encodes a picture as PNG (default), JPEG or WebP. */
export function encodeImage(image: Image, format: "png" | "jpeg" | "webp" = "png"): Promise<Uint8Array> {
  return pictures.encode(image, format, `${format} picture`);
}

/**
 * Writes a picture as the extension says: .png, .jpg or .webp. Node only. No partial file is left on failure.
 *
 * @throws MediaError `unsupported` for another extension, `unwritable`
 */
export async function writeImage(path: string, image: Image): Promise<void> {
  await files.write(path, await pictures.encode(image, formatOf(path, encoders), path));
}

/**
 * Writes an endless animated picture, .webp or .gif (256 colours). Node only; all frames are held in memory.
 *
 * @param frames of one size
 * @param fps frames a second; a GIF rounds each delay to 10 ms
 * @throws MediaError `invalid` without frames or with sizes that differ, `unsupported` for another extension, `unwritable`
 */
export async function writeAnimation(
  path: string,
  frames: Iterable<Image> | AsyncIterable<Image>,
  fps: number,
): Promise<void> {
  const format = formatOf(path, animations);
  if (!(fps > 0)) throw new MediaError("invalid", path, `fps must be positive, got ${fps}`);
  const all: Image[] = [];
  for await (const frame of frames) all.push(frame);
  await files.write(path, await pictures.encodeAnimation(all, fps, format, path));
}

function formatOf<F extends string>(path: string, formats: Readonly<Record<string, F>>): F {
  const extension = /\.[^./\\]+$/.exec(path)?.[0].toLowerCase() ?? "";
  const format = formats[extension];
  if (format !== undefined) return format;
  const known = Object.keys(formats).join(", ");
  throw new MediaError("unsupported", path, `the name must end in ${known}, got "${extension}"; choose another name`);
}
