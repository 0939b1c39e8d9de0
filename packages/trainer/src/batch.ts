import { tensor, type Tensor } from "@omni/core";
import type { TrainingClip } from "./sample.ts";

/** [F, H, W, 3] bytes of each clip → [B, 3, F, H, W] in [-1, 1]. */
export function videoTensor(videos: readonly Uint8Array[], frames: number, height: number, width: number): Tensor {
  const pixels = frames * height * width;
  const values = new Float32Array(videos.length * 3 * pixels);
  videos.forEach((video, b) => {
    for (let c = 0; c < 3; c++) {
      const start = (b * 3 + c) * pixels;
      for (let i = 0; i < pixels; i++) values[start + i] = (video[i * 3 + c] ?? 0) / 127.5 - 1;
    }
  });
  return tensor(values, { shape: [videos.length, 3, frames, height, width] });
}

/** Importance of moving parts, grown by one pixel: [B, 1, F, H, W]. */
export function movingTensor(clips: readonly TrainingClip[]): Tensor {
  const [first] = clips;
  const { frames = 0, height = 0, width = 0 } = first ?? {};
  const plane = height * width;
  const values = new Float32Array(clips.length * frames * plane);
  clips.forEach((clip, b) => {
    for (let f = 0; f < frames; f++) grow(clip.moving, f * plane, values, (b * frames + f) * plane, width, height);
  });
  return tensor(values, { shape: [clips.length, 1, frames, height, width] });
}

function grow(from: Float32Array, at: number, to: Float32Array, out: number, width: number, height: number): void {
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const value = from[at + y * width + x] ?? 0;
      if (value === 0) continue;
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++)
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
          const i = out + v * width + u;
          to[i] = Math.max(to[i] ?? 0, value);
        }
    }
}
