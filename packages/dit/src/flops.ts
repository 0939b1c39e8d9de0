import { PATCH } from "./config.ts";
import type { DitConfig } from "./config.ts";
import { windowFrames } from "./audio-window.ts";
import { videoFramesOf } from "./inputs.ts";

/** Sizes of one forward pass. Absent conditions: `textLength` 0, `reference` or `audio` false. */
export interface DitShape {
  readonly batch: number;
  /** Latent frames to generate, T. */
  readonly frames: number;
  /** Latent motion frames, Tm. */
  readonly motion: number;
  readonly reference: boolean;
  /** Latent rows and columns. */
  readonly height: number;
  readonly width: number;
  readonly textLength: number;
  readonly audio: boolean;
}

/** Floating-point operations of one forward pass, a multiply-add counted as two. */
export interface DitFlops {
  /** Embeddings of patches, text, audio and time, and the final layer. */
  readonly embeddings: number;
  /** Projections of the joint attention. */
  readonly projections: number;
  /** Scores and weighted sums of the joint attention. */
  readonly attention: number;
  readonly audio: number;
  readonly ffn: number;
  readonly total: number;
}

/**
 * Counts the matrix products of a forward pass; norms, activations and rotations are left out. A training step costs about three times
 * as much.
 */
export function flops(config: DitConfig, shape: DitShape): DitFlops {
  const {
    width: d,
    depth,
    ffnDim,
    latentChannels,
    poseChannels,
    audioTokensPerFrame,
    audioWindow,
    audioDim,
    textDim,
    timeDim,
  } = config;
  const linear = (rows: number, from: number, to: number): number => 2 * rows * from * to;
  const perFrame = (shape.height / PATCH.y) * (shape.width / PATCH.x);
  const heard = (shape.motion + shape.frames) * perFrame;
  const noisy = shape.frames * perFrame;
  const video = heard + (shape.reference ? perFrame : 0);
  const text = shape.textLength;
  const tokens = video + text;
  // the last block computes the noised frames only
  const rows = (depth - 1) * tokens + noisy;
  const slots = windowFrames(audioWindow) * audioTokensPerFrame;
  const features = shape.audio ? videoFramesOf(shape.motion + shape.frames) * audioTokensPerFrame : 0;
  const latents = shape.motion + shape.frames;

  const patch =
    linear(video, latentChannels * 4, d) + linear(heard, poseChannels * 4, d) + linear(noisy, d, latentChannels * 4);
  const words = linear(text, textDim, d) + linear(text, d, d);
  const time = linear(1, timeDim, d) + linear(1, d, d) + linear(1, d, 6 * d);
  const audioIn = linear(features, audioDim, d) + linear(features, d, d);
  const hearing = (depth - 1) * heard + noisy;
  const hearingFrames = (depth - 1) * latents + shape.frames;
  const parts = {
    embeddings: patch + words + time + audioIn,
    projections: depth * linear(tokens, d, 3 * d) + linear(rows, d, d),
    attention: 4 * rows * tokens * d,
    audio: 2 * linear(hearing, d, d) + linear(hearingFrames * slots, d, 2 * d) + 4 * hearing * slots * d,
    ffn: linear(rows, d, 3 * ffnDim),
  };
  const scaled = Object.fromEntries(Object.entries(parts).map(([name, n]) => [name, n * shape.batch])) as typeof parts; // same keys
  return { ...scaled, total: Object.values(scaled).reduce((sum, n) => sum + n, 0) };
}
