import { flops as ditFlops, presets } from "@omni/dit";
import { flops as vaeFlops, vaePresets } from "@omni/vae";
import { type Floats, type Kind, sampledPositions } from "./kind.ts";
import { uniform } from "./random.ts";
import type { AdamSpec } from "./training.ts";

/** So many tensors of one size each, in one file in memory. */
export type SafetensorsSpec = AdamSpec;

export interface SafetensorsInputs {
  readonly tensors: readonly Floats[];
}

/** From the bytes of a file to tensors on the device. */
export const loadSafetensors: Kind<SafetensorsSpec, SafetensorsInputs> = {
  inputs: ({ tensors, each }) => ({ tensors: Array.from({ length: tensors }, (_, i) => uniform(each, i + 1)) }),
  expected: ({ tensors: count, each }, { tensors }) => {
    const positions = sampledPositions(count * each);
    return { positions, values: Float64Array.from(positions, (p) => tensors[Math.floor(p / each)]?.[p % each] ?? NaN) };
  },
  flops: () => null,
  bytes: ({ tensors, each }) => 2 * 4 * tensors * each,
};

/** A clip in latent cells, with all conditions: text, reference picture and sound. */
export interface DenoiserSpec {
  readonly batch: number;
  /** Latent frames; the first stands for one frame of video, the others for four. */
  readonly frames: number;
  /** Latent rows and columns; a cell is 8×8 pixels. */
  readonly side: number;
  readonly textLength: number;
}

const denoiserFlops = ({ batch, frames, side, textLength }: DenoiserSpec): number =>
  ditFlops(presets.nano, {
    batch,
    frames,
    motion: 0,
    reference: true,
    height: side,
    width: side,
    textLength,
    audio: true,
  }).total;

const noInputs = (): Record<string, never> => ({});

/** One training step of the nano denoiser: forward pass, gradients, clipping, AdamW. */
export const ditStep: Kind<DenoiserSpec, Record<string, never>> = {
  inputs: noInputs,
  expected: null,
  flops: (spec) => 3 * denoiserFlops(spec),
  bytes: () => null,
};

/** One sampling step of the nano denoiser: both branches of guidance and Euler's update. */
export const samplingStep: Kind<DenoiserSpec, Record<string, never>> = {
  inputs: noInputs,
  expected: null,
  // the branch without sound and text is a little cheaper
  flops: (spec) => denoiserFlops(spec) + denoiserFlops({ ...spec, textLength: 0 }),
  bytes: () => null,
};

/** A clip in pixels. */
export interface VideoSpec {
  readonly frames: number;
  readonly side: number;
}

/** The nano autoencoder's decoder over a whole clip. */
export const vaeDecode: Kind<VideoSpec, Record<string, never>> = {
  inputs: noInputs,
  expected: null,
  flops: ({ frames, side }) => vaeFlops(vaePresets.nano, { frames, height: side, width: side }).decode,
  bytes: () => null,
};
