import { ShapeError, tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import { PICTURE_MULTIPLE } from "./sizes.ts";

/** A picture: RGBA, 8 bits a channel, row-major. Alpha is ignored. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** 4 · width · height values. */
  readonly data: Uint8ClampedArray;
}

/**
 * A picture as a video of one frame, [1, 3, 1, H, W], pixels in [-1, 1].
 *
 * @throws ShapeError unless both sides are multiples of 16 and the data fills them
 */
export function pictureToVideo({ width, height, data }: Picture): Tensor {
  if (width % PICTURE_MULTIPLE !== 0 || height % PICTURE_MULTIPLE !== 0 || data.length !== 4 * width * height)
    throw new ShapeError(
      `pictureToVideo: sides must be multiples of ${PICTURE_MULTIPLE} with 4 values a pixel, got ${width}×${height} with ${data.length}; crop or pad it`,
    );
  const area = width * height;
  const planes = new Float32Array(3 * area);
  for (let c = 0; c < 3; c++) for (let i = 0; i < area; i++) planes[c * area + i] = (data[4 * i + c] ?? 0) / 127.5 - 1;
  return tensor(planes, { shape: [1, 3, 1, height, width] });
}

/**
 * Frames of a video as opaque pictures.
 *
 * @param video [1, 3, F, H, W], pixels in [-1, 1]
 */
export async function videoToPictures(video: Tensor): Promise<Picture[]> {
  const [, , frames = 0, height = 0, width = 0] = video.shape;
  const values = await video.data();
  const area = width * height;
  return Array.from({ length: frames }, (_, frame) => {
    const data = new Uint8ClampedArray(4 * area).fill(255);
    for (let c = 0; c < 3; c++) {
      const plane = (c * frames + frame) * area;
      // the array rounds to nearest and clamps
      for (let i = 0; i < area; i++) data[4 * i + c] = ((values[plane + i] ?? 0) + 1) * 127.5;
    }
    return { width, height, data };
  });
}
