import { pictures } from "#pictures";
import type { Image } from "./image.ts";
import { MediaError } from "./media-error.ts";
import type { PictureLimits } from "./pictures.ts";
import { type FileKind, sniff, withArticle } from "./sniff.ts";
import { type MediaSource, openBytes } from "./source.ts";

/** A picture file larger than this is refused unread, bytes. */
const maxBytes = 1 << 29;

const defaultLimits: PictureLimits = { maxSide: 16_384, maxPixels: 100_000_000 };

/** Options of {@link readImage}. */
export type ReadImageOptions = Partial<PictureLimits>;

/**
 * Reads a picture: PNG (any depth, grey, palette, transparent), JPEG (progressive, CMYK), WebP, GIF (first frame), AVIF,
 * TIFF (Node only) and uncompressed BMP. EXIF orientation is applied, colours are converted to sRGB with the embedded
 * profile, depth is reduced to 8 bits. Transparency is kept: see `flattenImage`.
 *
 * @param source path (in a browser URL), Blob or bytes
 * @param options `maxSide` (default 16,384) and `maxPixels` (default 100 million)
 * @throws MediaError `missing`, `empty`, `unsupported`, `corrupt` or `too-large`
 */
export async function readImage(source: MediaSource, options: ReadImageOptions = {}): Promise<Image> {
  const reader = await openBytes(source);
  try {
    if (reader.size > maxBytes) {
      throw new MediaError("too-large", reader.name, "the file is larger than 512 MiB; make the picture smaller first");
    }
    const bytes = await reader.read(0, reader.size);
    checkKind(sniff(bytes.subarray(0, 4096)), reader.name);
    return await pictures.decode(bytes, reader.name, { ...defaultLimits, ...options });
  } finally {
    await reader.close();
  }
}

function checkKind({ kind, name }: FileKind, source: string): void {
  if (kind === "picture" && pictures.readable.includes(name)) return;
  if (kind === "picture") {
    throw new MediaError("unsupported", source, `${name} pictures cannot be read here; save it as PNG or JPEG`);
  }
  const what = `this is ${withArticle(name)}, not a picture`;
  throw new MediaError("unsupported", source, `${what}; give a ${pictures.readable.join(", ")} file`);
}
