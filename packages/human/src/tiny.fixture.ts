import { presets as audioPresets } from "@omni/audio";
import type { Module } from "@omni/core/nn";
import { presets } from "./config.ts";
import type { HumanConfig } from "./config.ts";
import { OmniHuman } from "./model.ts";
import type { Picture } from "./picture.ts";

/** The nano system in miniature, for tests: frames of 32×32 pixels, every part one layer deep. */
export const tinyConfig: HumanConfig = {
  vae: {
    ...presets.nano.vae,
    encoderDims: [4, 8, 8],
    decoderDims: [4, 8, 8],
    zDim: 4,
    latentMean: [0, 0, 0, 0],
    latentStd: [1, 1, 1, 1],
  },
  audio: {
    ...audioPresets.nano,
    convDim: [4, 4, 4, 4, 4, 4, 4],
    hiddenSize: 8,
    layers: 1,
    heads: 2,
    ffnDim: 8,
    positionKernel: 3,
    positionGroups: 2,
    attentionReach: 4,
  },
  text: { ...presets.nano.text, width: 8, layers: 1, heads: 2, headDim: 4, ffnDim: 8 },
  pose: {
    ...presets.nano.pose,
    layers: [
      { channels: 4, temporalStride: 2, spatialStride: 2 },
      { channels: 4, temporalStride: 2, spatialStride: 1 },
    ],
    outChannels: 4,
  },
  dit: {
    ...presets.nano.dit,
    latentChannels: 4,
    referencePrior: [
      { weight: 0.5, slopes: [1, 1, 1, 1], variances: [0.1, 0.1, 0.1, 0.1] },
      { weight: 0.5, slopes: [0, 0, 0, 0], variances: [1, 1, 1, 1] },
    ],
    poseChannels: 4,
    textDim: 8,
    audioDim: 16,
    width: 16,
    depth: 1,
    doubleBlocks: 1,
    headDim: 8,
    ropeAxes: [2, 1, 1],
    ffnDim: 16,
    timeDim: 8,
  },
  clip: { ...presets.nano.clip, sizes: [{ width: 32, height: 32 }] },
  sampling: { ...presets.nano.sampling, steps: 2 },
};

/** A tiny model with random values everywhere, zero-initialised parameters included, so that every condition matters. */
export async function tinyHuman(): Promise<OmniHuman> {
  const model = OmniHuman.create(tinyConfig);
  for (const part of [model.vae, model.audio, model.denoiser]) wake(part);
  return model.realize();
}

function wake(part: Module): void {
  let word = 1;
  const uniform = (): number => (word = (Math.imul(word, 1664525) + 1013904223) >>> 0) / 2 ** 31 - 1;
  const state = Object.entries(part.stateDict()).map(([name, { shape, size, ndim }]) => {
    const fanIn = shape.slice(1).reduce((n, length) => n * length, 1);
    const scale = ndim > 1 ? Math.sqrt(3 / fanIn) : 0.1;
    const centre = name.includes("norm") ? 1 : 0;
    return [name, { shape, data: Float32Array.from({ length: size }, () => centre + scale * uniform()) }] as const;
  });
  part.loadStateDict(Object.fromEntries(state));
}

/** A picture of 32×32 pixels with a gradient. */
export function tinyPicture(): Picture {
  const data = Uint8ClampedArray.from({ length: 4 * 32 * 32 }, (_, i) =>
    i % 4 === 3 ? 255 : (Math.floor(i / 4) * (1 + (i % 4))) % 256,
  );
  return { width: 32, height: 32, data };
}

/** A falling tone, 16 kHz. */
export const tinySound = (seconds: number): Float32Array =>
  Float32Array.from({ length: Math.round(seconds * 16_000) }, (_, i) => 0.3 * Math.sin(200 * Math.sqrt(i)));

/** All frames of a generation, joined. */
export async function collect(segments: AsyncIterable<{ readonly frames: readonly Picture[] }>): Promise<Picture[]> {
  const all: Picture[] = [];
  for await (const { frames } of segments) all.push(...frames);
  return all;
}
