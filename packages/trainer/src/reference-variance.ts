import { encodeClips, type ClipEncoder } from "./encoded-clips.ts";
import type { ClipSize, ClipSource } from "./sample.ts";

/** Clips that the variances are measured on, and clips encoded at a time. */
const CLIPS = 48;
const BATCH = 8;

/** A channel whose latents equal the reference's would leave the denoiser nothing to say. */
const LEAST = 0.01;

/** Variance of video latents around those of the reference picture, by channel: what `DitConfig.referencePrior` holds. */
export async function referenceVariance(
  encoder: ClipEncoder,
  source: ClipSource,
  size: ClipSize,
  frames: number,
): Promise<number[]> {
  const channels = encoder.vae.config.zDim;
  const sums = new Array<number>(channels).fill(0);
  let count = 0;
  for (let from = 0; from < CLIPS; from += BATCH) {
    const drawn = Array.from({ length: BATCH }, (_, i) => source(from + i, { ...size, frames }));
    for (const { latents, reference } of await encodeClips(encoder, drawn)) {
      const plane = reference.length / channels;
      const width = latents.length / channels;
      count += width;
      for (let c = 0; c < channels; c++)
        for (let i = 0; i < width; i++)
          sums[c] = (sums[c] ?? 0) + ((latents[c * width + i] ?? 0) - (reference[c * plane + (i % plane)] ?? 0)) ** 2;
    }
  }
  return sums.map((sum) => Math.max(LEAST, sum / count));
}
