import { padWith, ShapeError } from "@omni/core";
import type { Tensor } from "@omni/core";
import { compression } from "./config.ts";
import type { CausalVae } from "./model.ts";

/** Frames and pixels of a video before it was padded. */
export interface VideoSize {
  readonly frames: number;
  readonly height: number;
  readonly width: number;
}

/** Latents of a video of any size. */
export interface PaddedLatents {
  /** Normalised, [B, C, T, h, w]. */
  readonly latents: Tensor;
  readonly size: VideoSize;
}

/** The next size that the autoencoder takes: 1 + 4n frames, sides multiples of 8. */
export function paddedSize(vae: CausalVae, { frames, height, width }: VideoSize): VideoSize {
  const { temporal, spatial } = compression(vae.config);
  const up = (n: number, step: number): number => Math.ceil(n / step) * step;
  return { frames: 1 + up(frames - 1, temporal), height: up(height, spatial), width: up(width, spatial) };
}

/**
 * Encodes a video of any size: its last frame, row and column are repeated up to the next size that fits. A picture is a video of one frame.
 *
 * @param video [B, 3, F, H, W] in [-1, 1], or a picture [B, 3, H, W]
 * @throws ShapeError for anything else
 */
export function encodePadded(vae: CausalVae, video: Tensor): PaddedLatents {
  const clip = video.ndim === 4 ? video.unsqueeze(2) : video;
  const [, , frames = 0, height = 0, width = 0] = clip.shape;
  if (clip.ndim !== 5 || frames === 0 || height === 0 || width === 0)
    throw new ShapeError(
      `vae: video must be [B, 3, F, H, W] or [B, 3, H, W], not empty, got [${video.shape.join(", ")}]`,
    );
  const size = { frames, height, width };
  const whole = paddedSize(vae, size);
  const after = [0, 0, whole.frames - frames, whole.height - height, whole.width - width];
  const padded = padWith(
    clip,
    after.map((n): [number, number] => [0, n]),
    { mode: "replicate" },
  );
  return { latents: vae.encode(padded), size };
}

/** Decodes what {@link encodePadded} gave and cuts what was added off: [B, 3, F, H, W]. */
export function decodePadded(vae: CausalVae, { latents, size }: PaddedLatents): Tensor {
  const { frames, height, width } = size;
  return vae.decode(latents).slice(2, 0, frames).slice(3, 0, height).slice(4, 0, width);
}
