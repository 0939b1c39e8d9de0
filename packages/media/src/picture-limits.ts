import { MediaError } from "./media-error.ts";
import type { PictureLimits } from "./pictures.ts";

/** @throws MediaError `too-large` when a picture of this size is not accepted */
export function checkPictureLimits(name: string, width: number, height: number, limits: PictureLimits): void {
  const { maxSide, maxPixels } = limits;
  if (width <= maxSide && height <= maxSide && width * height <= maxPixels) return;
  const limit = `${maxSide} pixels a side and ${Math.floor(maxPixels / 1e6)} megapixels are accepted`;
  throw new MediaError("too-large", name, `the picture is ${width}x${height}; at most ${limit}: make it smaller first`);
}
