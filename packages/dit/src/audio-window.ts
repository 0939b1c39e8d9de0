import { concat } from "@omni/core";
import type { Tensor } from "@omni/core";
import { TEMPORAL_STRIDE } from "./config.ts";

/** Video frames whose audio a latent frame sees: the four it stands for and `window` on each side. */
export const windowFrames = (window: number): number => TEMPORAL_STRIDE + 2 * window;

/**
 * Gathers, for each latent frame, the audio tokens of its video frames and of the window around them.
 *
 * Latent frame i stands for video frames 4i − 3 … 4i (frame 0 only for i = 0) and so gets 4i − 3 − window … 4i + window; frames beyond
 * the ends repeat the first or last one. Slots keep their place relative to the latent frame.
 *
 * @param tokens [B, F, tokensPerFrame, D], F = 1 + 4 (latentFrames − 1)
 * @returns [B, latentFrames, (4 + 2 window) tokensPerFrame, D]
 */
export function gatherWindows(tokens: Tensor, latentFrames: number, window: number): Tensor {
  const [batch = 0, frames = 0, perFrame = 0, width = 0] = tokens.shape;
  const slots = windowFrames(window);
  // windows are runs of whole groups of four frames, so that a few slices and one concatenation make them all
  const groups = Math.ceil(slots / TEMPORAL_STRIDE);
  const before = TEMPORAL_STRIDE - 1 + window;
  const after = TEMPORAL_STRIDE * (latentFrames - 1 + groups) - before - frames;
  const edge = (at: number, count: number): Tensor =>
    tokens.slice(1, at, at + 1).expand([batch, count, perFrame, width]);
  const padded = concat(after > 0 ? [edge(0, before), tokens, edge(frames - 1, after)] : [edge(0, before), tokens], {
    axis: 1,
  });
  const grouped = padded.reshape([batch, latentFrames - 1 + groups, TEMPORAL_STRIDE * perFrame, width]);
  const runs = Array.from({ length: groups }, (_, g) => grouped.slice(1, g, g + latentFrames));
  return concat(runs, { axis: 2 }).slice(2, 0, slots * perFrame);
}
