/** A frame's size, pixels. */
export interface FrameSize {
  readonly width: number;
  readonly height: number;
}

/** Sides of frames are multiples of this: 8 for the autoencoder, 2 for the denoiser's patches. */
export const PICTURE_MULTIPLE = 16;

/**
 * The size whose shape is nearest to the picture's: the one with the least |log(w/h) - log(W/H)|. The picture is cropped or padded to
 * that shape, never stretched.
 *
 * @param picture size of the reference picture, pixels
 * @param sizes at least one
 */
export function nearestSize(picture: FrameSize, sizes: readonly FrameSize[]): FrameSize {
  const aspect = Math.log(picture.width / picture.height);
  const distance = ({ width, height }: FrameSize): number => Math.abs(Math.log(width / height) - aspect);
  return sizes.reduce((best, size) => (distance(size) < distance(best) ? size : best));
}
