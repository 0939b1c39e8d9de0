import { getDevice, memory } from "@omni/core";
import { clipCoding } from "@omni/vae";
import type { ClipCoding, CodingLimits } from "@omni/vae";
import type { HumanConfig } from "./config.ts";
import type { OmniHuman } from "./model.ts";
import type { FrameSize } from "./sizes.ts";

/** How the frames of a video pass through the autoencoder. */
export interface SegmentCoding {
  /** Decoding a segment. */
  readonly segment: ClipCoding;
  /** Encoding a segment's last frames. */
  readonly motion: ClipCoding;
  /** Encoding the reference. */
  readonly still: ClipCoding;
}

// A GPU does not tell its memory.
const USUAL_MEMORY = 8 * 2 ** 30;

/**
 * What coding may take: half of the memory that the weights leave. The other half is for latents, conditions and results.
 *
 * @param budget memory of the device, bytes; null where it is unknown: 8 GiB are assumed
 * @param binding what a kernel may bind, bytes
 * @param weights of the whole model, bytes
 */
export function codingLimits(budget: number | null, binding: number, weights: number): CodingLimits {
  return { memory: Math.max(0, ((budget ?? USUAL_MEMORY) - weights) / 2), binding };
}

/** Chooses how frames of a size are coded. It depends on model, size and adapter alone, so that equal seeds give equal frames. */
export function segmentCoding({ vae, clip }: HumanConfig, size: FrameSize, limits: CodingLimits): SegmentCoding {
  const coding = (frames: number): ClipCoding => clipCoding(vae, { frames, ...size }, limits);
  return { segment: coding(clip.segmentFrames), motion: coding(clip.motionFrames), still: coding(1) };
}

/** The limits of the open adapter for a model that is on it. */
export async function modelLimits(model: OmniHuman): Promise<CodingLimits> {
  const { traits } = await getDevice();
  const { budget, byPath } = await memory(model);
  const weights = ["vae", "audio", "denoiser"].reduce((sum, part) => sum + (byPath.get(part) ?? 0), 0);
  return codingLimits(Number.isFinite(budget) ? budget : null, traits.maxStorageBinding, weights);
}
