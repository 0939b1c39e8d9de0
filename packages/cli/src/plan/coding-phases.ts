import { metaTensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import { compression, FeatureCache, tileCount } from "@omni/vae";
import type { CausalVae, ClipCoding, ClipSize, VaeConfig } from "@omni/vae";
import type { PlanPhase } from "./plan-model.ts";

/** A clip of latents, in cells. */
export interface LatentSize {
  readonly frames: number;
  readonly height: number;
  readonly width: number;
}

/** @param frames of the clip, 1 + 4n */
export function latentSize(
  config: VaeConfig,
  { width, height }: { readonly width: number; readonly height: number },
  frames: number,
): LatentSize {
  const { temporal, spatial } = compression(config);
  return { frames: 1 + (frames - 1) / temporal, height: height / spatial, width: width / spatial };
}

/** How a coding is called. */
const named = (name: string, coding: ClipCoding): string =>
  coding === "whole"
    ? name
    : coding === "frames"
      ? `${name}, one by one`
      : `${name}, tiles of ${coding.size}×${coding.size} cells`;

/** Decoding segments as `generate` does. */
export function decodeSegment(vae: CausalVae, size: LatentSize, coding: ClipCoding, segments: number): PlanPhase {
  const { zDim } = vae.config;
  const name = named("decode frames", coding);
  if (coding === "whole")
    return {
      name,
      runs: segments,
      graph: () => [vae.decode(metaTensor([1, zDim, size.frames, size.height, size.width]))],
    };
  const { temporal, spatial } = compression(vae.config);
  const { tiles, height, width } = tileOf(size, coding);
  const frame = () => metaTensor([1, zDim, 1, height, width]);
  return {
    name,
    runs: segments * size.frames * tiles,
    held: 4 * 3 * (1 + (size.frames - 1) * temporal) * size.height * size.width * spatial ** 2,
    graph: () => laterChunk((cache) => vae.decodeRaw(frame(), cache)),
  };
}

/** Encoding a picture or the last frames of segments as `generate` does. */
export function encodeFrames(
  vae: CausalVae,
  what: string,
  clip: ClipSize,
  coding: ClipCoding,
  runs: number,
): PlanPhase {
  const name = named(what, coding);
  if (coding === "whole")
    return { name, runs, graph: () => [vae.encode(metaTensor([1, 3, clip.frames, clip.height, clip.width]))] };
  const { temporal, spatial } = compression(vae.config);
  const size = latentSize(vae.config, clip, clip.frames);
  const { tiles, height, width } = tileOf(size, coding);
  const pixels = (frames: number) => metaTensor([1, 3, frames, height * spatial, width * spatial]);
  const encode = (frames: number) => (cache: FeatureCache) => vae.encodeMoments(pixels(frames), cache).mean;
  return {
    name,
    runs: runs * size.frames * tiles,
    graph: () => (clip.frames === 1 ? oneChunk(encode(1)) : laterChunk(encode(temporal), encode(1))),
  };
}

function tileOf({ height, width }: LatentSize, coding: "frames" | Exclude<ClipCoding, string>) {
  if (coding === "frames") return { tiles: 1, height, width };
  const { size } = coding;
  return { tiles: tileCount([height, width], coding), height: Math.min(height, size), width: Math.min(width, size) };
}

type Chunk = (cache: FeatureCache) => Tensor;

function oneChunk(run: Chunk, cache = new FeatureCache()): Tensor[] {
  const output = run(cache);
  return [output, ...cache.next];
}

/** A chunk after others: what they left is there already. */
function laterChunk(run: Chunk, first: Chunk = run): Tensor[] {
  const cache = new FeatureCache();
  first(cache);
  cache.advance(({ shape, dtype }) => metaTensor(shape, dtype));
  return oneChunk(run, cache);
}
