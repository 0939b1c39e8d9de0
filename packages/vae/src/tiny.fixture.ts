import { Rng } from "@omni/core";
import { vaePresets } from "./config.ts";
import type { VaeConfig } from "./config.ts";
import { CausalVae } from "./model.ts";

/** The nano layout in miniature, for tests. */
export const tinyNano: VaeConfig = {
  ...vaePresets.nano,
  spaceToDepth: 2,
  encoderDims: [4, 8, 8],
  decoderDims: [4, 8, 8],
  zDim: 3,
  latentMean: [0.5, -1, 0],
  latentStd: [1, 2, 0.5],
};

/** Wan's layout in miniature, for tests: three levels, so that it compresses 4×4×4. */
export const tinyWan: VaeConfig = {
  ...vaePresets.wan21,
  encoderDims: [4, 4, 8],
  decoderDims: [4, 4, 8],
  encoderBlocks: 1,
  decoderBlocks: 1,
  spatialDownsample: [true, true],
  temporalDownsample: [true, true],
  temporalKernel: [3, 3, 3],
  zDim: 3,
  latentMean: [0, 0, 0],
  latentStd: [1, 1, 1],
};

/** A model none of whose layers is still at zero, so that every path carries signal. */
export function awakeVae(config: VaeConfig): CausalVae {
  const vae = new CausalVae(config, new Rng(11));
  const rng = new Rng(12);
  const state = Object.entries(vae.stateDict()).map(([name, value]) => {
    const fanIn = value.shape.slice(1).reduce((n, size) => n * size, 1);
    const scale = value.ndim > 1 ? 1 / Math.sqrt(fanIn) : 0.1;
    const draw = rng.fork(name).normal(value.shape).mul(scale);
    return [name, name.includes("norm") ? draw.add(1) : draw] as const;
  });
  vae.loadStateDict(Object.fromEntries(state));
  return vae;
}
