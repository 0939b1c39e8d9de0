import { realize, Rng } from "@omni/core";
import type { Tensor } from "@omni/core";
import type { Module } from "@omni/core/nn";
import type { DitConfig } from "./config.ts";
import type { DitInputs } from "./inputs.ts";
import { NO_CONDITIONS, videoFramesOf } from "./inputs.ts";

/** The smallest model with every part: one block of each kind. For tests. */
export const tinyConfig = {
  latentChannels: 2,
  poseChannels: 3,
  maskChannel: true,
  textDim: 6,
  audioDim: 5,
  audioTokensPerFrame: 2,
  audioWindow: 2,
  width: 16,
  depth: 2,
  doubleBlocks: 1,
  headDim: 8,
  ropeAxes: [2, 1, 1],
  ropeTheta: 100,
  textRope: "mm",
  ffnDim: 24,
  timeDim: 8,
  gateInit: 1,
  referencePrior: [],
} as const satisfies DitConfig;

/** Random inputs with every condition present and active: 2 samples, 3 noisy and 1 motion frames of 4×6 latents. */
export function tinyInputs(
  config: DitConfig = tinyConfig,
  { batch = 2, frames = 3, motion = 1, textLength = 5 } = {},
): DitInputs & { readonly [K in "motion" | "reference" | "text" | "audio" | "pose"]: Tensor } {
  const rng = new Rng(7);
  const [height, width] = [4, 6];
  const latents = (n: number): Tensor => rng.normal([batch, config.latentChannels, n, height, width]);
  return {
    ...NO_CONDITIONS,
    noisy: latents(frames),
    t: rng.uniform([batch]),
    motion: latents(motion),
    reference: latents(1),
    text: rng.normal([batch, textLength, config.textDim]),
    audio: rng.normal([batch, videoFramesOf(motion + frames), config.audioTokensPerFrame, config.audioDim]),
    pose: rng.normal([batch, config.poseChannels, motion + frames, height, width]),
  };
}

/** Realises a module with random values everywhere, zero-initialised parameters included, so that every path carries a signal. */
export async function randomize<M extends Module>(module: M, std = 0.3): Promise<M> {
  const rng = new Rng(11);
  await module.realize();
  await realize(Object.values(module.parameters()).map((p) => p.assign(rng.normal(p.shape).mul(std))));
  return module;
}

/** Largest difference between two tensors. */
export async function distance(a: Tensor, b: Tensor): Promise<number> {
  return a.sub(b).abs().max().item();
}
