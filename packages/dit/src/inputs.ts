import { ShapeError } from "@omni/core";
import type { Tensor } from "@omni/core";
import { PATCH, TEMPORAL_STRIDE } from "./config.ts";
import type { DitConfig } from "./config.ts";

/**
 * What the denoiser sees in one step. An absent condition is `null`; within a batch, an activity mask ([B], 1 = active, 0 = dropped;
 * `null` = all active) drops it for single samples, with the result that `null` would give for them.
 */
export interface DitInputs {
  /** x_t of the frames to generate, [B, C, T, h, w]. */
  readonly noisy: Tensor;
  /** Time in [0, 1], [B]; 1 is noise. */
  readonly t: Tensor;
  /** Clean latents of the Tm frames just before `noisy`, [B, C, Tm, h, w]. */
  readonly motion: Tensor | null;
  /** Clean latent of the reference image, [B, C, 1, h, w]. */
  readonly reference: Tensor | null;
  readonly referenceActive: Tensor | null;
  /** States of the text encoder, [B, L, textDim]. */
  readonly text: Tensor | null;
  /** [B, L], 1 = token, 0 = padding. */
  readonly textMask: Tensor | null;
  readonly textActive: Tensor | null;
  /** Features of the F = 1 + 4 (Tm + T − 1) video frames of motion and noisy, [B, F, audioTokensPerFrame, audioDim]. */
  readonly audio: Tensor | null;
  /** Activity of the audio, [B]: 0 = the learned null in its place. */
  readonly audioMask: Tensor | null;
  /** Features of the pose guider, [B, poseChannels, Tm + T, h, w]. */
  readonly pose: Tensor | null;
  readonly poseActive: Tensor | null;
}

/** No condition, and none dropped: what inputs name beside `noisy` and `t` where they name nothing. */
export const NO_CONDITIONS = {
  motion: null,
  reference: null,
  referenceActive: null,
  text: null,
  textMask: null,
  textActive: null,
  audio: null,
  audioMask: null,
  pose: null,
  poseActive: null,
} as const satisfies Omit<DitInputs, "noisy" | "t">;

/** Sizes that follow from the inputs. Frames are latent frames in the order reference, motion, noisy. */
export interface Layout {
  readonly batch: number;
  /** 0 or 1. */
  readonly referenceFrames: number;
  readonly motionFrames: number;
  readonly noisyFrames: number;
  /** Reference + motion + noisy. */
  readonly frames: number;
  /** Latent rows and columns. */
  readonly height: number;
  readonly width: number;
  /** Patch rows and columns of a frame, and their product. */
  readonly rows: number;
  readonly columns: number;
  readonly tokensPerFrame: number;
  /** Text tokens L; 0 without text. */
  readonly textLength: number;
  /** Video frames that motion and noisy stand for. */
  readonly videoFrames: number;
}

/** What the inputs' shapes follow from. */
export type InputWidths = Pick<
  DitConfig,
  "latentChannels" | "poseChannels" | "textDim" | "audioDim" | "audioTokensPerFrame"
>;

/** Video frames that `latentFrames` stand for: 1 + 4 (n − 1). */
export const videoFramesOf = (latentFrames: number): number => 1 + TEMPORAL_STRIDE * (latentFrames - 1);

/**
 * Checks every input once and returns the sizes of the token sequence.
 *
 * @throws ShapeError naming the input, the shape it must have and the one it has
 */
export function layoutOf(config: InputWidths, inputs: DitInputs): Layout {
  const { latentChannels: channels, poseChannels, textDim, audioDim, audioTokensPerFrame } = config;
  const [batch = 0, , noisyFrames = 0, height = 0, width = 0] = inputs.noisy.shape;
  expectShape("noisy", inputs.noisy, [batch, channels, noisyFrames, height, width]);
  if (batch === 0 || noisyFrames === 0)
    throw new ShapeError(`MMDiT: noisy must not be empty, got [${inputs.noisy.shape.join(", ")}]`);
  if (height % PATCH.y !== 0 || width % PATCH.x !== 0)
    throw new ShapeError(
      `MMDiT: latent height and width must be even, got ${height}×${width}: pad the frames to multiples of 16 pixels`,
    );
  const motionFrames = inputs.motion?.shape[2] ?? 0;
  const latentFrames = motionFrames + noisyFrames;
  const videoFrames = videoFramesOf(latentFrames);
  const textLength = inputs.text?.shape[1] ?? 0;
  expectShape("t", inputs.t, [batch]);
  expectShape("motion", inputs.motion, [batch, channels, motionFrames, height, width]);
  expectShape("reference", inputs.reference, [batch, channels, 1, height, width]);
  expectShape("text", inputs.text, [batch, textLength, textDim]);
  if (inputs.text) expectShape("textMask", inputs.textMask, [batch, textLength]);
  expectShape("audio", inputs.audio, [batch, videoFrames, audioTokensPerFrame, audioDim]);
  expectShape("pose", inputs.pose, [batch, poseChannels, latentFrames, height, width]);
  for (const name of ["referenceActive", "textActive", "audioMask", "poseActive"] as const)
    expectShape(name, inputs[name], [batch]);
  const referenceFrames = inputs.reference ? 1 : 0;
  const rows = height / PATCH.y;
  const columns = width / PATCH.x;
  return {
    batch,
    referenceFrames,
    motionFrames,
    noisyFrames,
    frames: referenceFrames + latentFrames,
    height,
    width,
    rows,
    columns,
    tokensPerFrame: rows * columns,
    textLength,
    videoFrames,
  };
}

function expectShape(name: string, value: Tensor | null, shape: readonly number[]): void {
  if (!value) return;
  if (value.ndim !== shape.length || shape.some((size, i) => value.shape[i] !== size))
    throw new ShapeError(`MMDiT: ${name} must have shape [${shape.join(", ")}], got [${value.shape.join(", ")}]`);
}
