import type { WanConfig } from "./config.ts";

/** Wan's layout in miniature, for tests. */
export const tinyWan: WanConfig = {
  latentChannels: 2,
  outChannels: 2,
  textDim: 6,
  width: 24,
  headDim: 12,
  depth: 2,
  ffnDim: 20,
  timeDim: 8,
  crossNorm: true,
};
