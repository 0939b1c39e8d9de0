import { directForward, directInputGrad, directWeightGrad, type ConvSpec } from "./conv-direct.wgsl.ts";
import { im2colForward, im2colInputGrad, im2colWeightGrad, unfoldedBytes } from "./conv-im2col.wgsl.ts";
import type { DeviceTraits, Program } from "./kernel.ts";

export type { ConvSpec };

/** Grouped convolutions, and those whose unfolded input would not fit one binding, run directly. */
const unfolds = (s: ConvSpec, traits: DeviceTraits): boolean => s.groups === 1 && unfoldedBytes(s) <= traits.maxStorageBinding && unfoldedBytes(s) > 0;

export const convForwardProgram = (s: ConvSpec, traits: DeviceTraits): Program =>
  unfolds(s, traits) ? im2colForward(s, traits) : directForward(s, traits);
export const convInputGradProgram = (s: ConvSpec, traits: DeviceTraits): Program =>
  unfolds(s, traits) ? im2colInputGrad(s, traits) : directInputGrad(s, traits);
export const convWeightGradProgram = (s: ConvSpec, traits: DeviceTraits): Program =>
  unfolds(s, traits) ? im2colWeightGrad(s, traits) : directWeightGrad(s, traits);
