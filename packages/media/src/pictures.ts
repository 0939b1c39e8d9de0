import type { Image } from "./image.ts";

/** What a platform must provide to decode and encode pictures. */
export interface Pictures {
  /** Formats that {@link decode} takes, as named by `sniff`. */
  readonly readable: readonly string[];
  /**
   * First frame, upright, 8-bit sRGB.
   *
   * @throws MediaError `corrupt` or `too-large`
   */
  decode(bytes: Uint8Array, name: string, limits: PictureLimits): Promise<Image>;
  encode(image: Image, format: "png" | "jpeg" | "webp", name: string): Promise<Uint8Array>;
  /** @throws MediaError `unavailable` where the platform cannot */
  encodeAnimation(frames: readonly Image[], fps: number, format: "webp" | "gif", name: string): Promise<Uint8Array>;
}

/** What is refused before its pixels are decoded. */
export interface PictureLimits {
  readonly maxSide: number;
  readonly maxPixels: number;
}
