import type { FrameSize } from "@omni/human";
import { coverBox, cropImage, fitToAspect, flattenImage, MediaError, readImage, resizeImage } from "@omni/media";
import type { Box, Image, Rgb } from "@omni/media";

/** Sides below this hold no person. */
const MIN_SIDE = 16;

/** Where to look when cropping: faces stand above the middle. */
const FOCUS = [0.5, 0.4] as const;

/** A reference picture at the size of the frames. */
export interface FittedPicture {
  readonly picture: Image;
  /** The part of the original that the frames show, pixels; beyond it where it was padded. */
  readonly box: Box;
}

/**
 * Reads a reference picture; transparency becomes white.
 *
 * @throws MediaError
 */
export async function readPicture(path: string): Promise<Image> {
  const image = await readImage(path);
  if (image.width < MIN_SIDE || image.height < MIN_SIDE)
    throw new MediaError(
      "invalid",
      path,
      `the picture is ${image.width}x${image.height} pixels; give one of at least ${MIN_SIDE}x${MIN_SIDE}`,
    );
  return flattenImage(image);
}

/** Brings a picture to a size without stretching it: cuts what is too much, or adds a border in the picture's own colour. */
export function fitPicture(image: Image, size: FrameSize, fit: "crop" | "pad"): FittedPicture {
  const { width, height } = size;
  if (fit === "crop") {
    const box = coverBox(image, width, height, FOCUS);
    return { picture: resizeImage(image, width, height, { box }), box };
  }
  const padded = fitToAspect(image, width / height, { mode: "pad", background: borderColour(image) });
  const x = -Math.floor((padded.width - image.width) / 2);
  const y = -Math.floor((padded.height - image.height) / 2);
  return {
    picture: resizeImage(padded, width, height),
    box: { x, y, width: padded.width, height: padded.height },
  };
}

/** Mean colour of the outermost pixels. */
function borderColour(image: Image): Rgb {
  const sides = [
    cropImage(image, 0, 0, image.width, 1),
    cropImage(image, 0, image.height - 1, image.width, 1),
    cropImage(image, 0, 0, 1, image.height),
    cropImage(image, image.width - 1, 0, 1, image.height),
  ];
  const mean = (channel: number): number => {
    let sum = 0;
    let pixels = 0;
    for (const { data } of sides) for (let i = channel; i < data.length; i += 4, pixels++) sum += data[i] ?? 0;
    return Math.round(sum / pixels);
  };
  return [mean(0), mean(1), mean(2)];
}
