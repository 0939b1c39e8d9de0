import { concat, layerNorm, sampleLinear, ShapeError } from "@omni/core";
import type { Tensor } from "@omni/core";
import type { AudioConfig } from "./config.ts";
import { SAMPLE_RATE } from "./config.ts";
import { fieldSamples, hopSamples } from "./waveform.ts";

/** How audio features meet video frames. */
export interface FrameRate {
  /** Video frames a second. */
  readonly fps: number;
  /** Feature tokens a video frame, evenly spread over the frame's duration. */
  readonly tokensPerFrame: number;
}

/** Width of a feature token: all hidden states side by side. */
export const featureDim = ({ layers, hiddenSize }: AudioConfig): number => (layers + 1) * hiddenSize;

/** Time of token j of frame k, seconds: the middle of its share of the frame, (k + (j + ½) / tokensPerFrame) / fps. */
export const tokenTime = ({ fps, tokensPerFrame }: FrameRate, frame: number, token: number): number =>
  (frame + (token + 0.5) / tokensPerFrame) / fps;

/** Where time (seconds) falls among the encoder's steps; whole numbers are the middles of what a step sees. */
export const stepAt = (config: AudioConfig, time: number): number =>
  (time * SAMPLE_RATE - (fieldSamples(config) - 1) / 2) / hopSamples(config);

/**
 * All hidden states side by side, each normalised to zero mean and unit variance per step: the residual stream of a pre-norm encoder grows
 * with depth, and its last states would drown the first.
 *
 * @param hidden layers + 1 states, [B, steps, hidden] each
 * @returns [B, steps, (layers + 1) hidden]
 */
export const stackStates = (hidden: readonly Tensor[]): Tensor =>
  concat(
    hidden.map((state) => layerNorm(state)),
    { axis: 2 },
  );

/**
 * Linear interpolation from encoder steps to the tokens of video frames; times beyond the ends take the first or last step.
 *
 * @param states [B, steps, D]; step 0 is the encoder's step `firstStep`
 * @param frames first video frame and their number
 * @returns [B, frames, tokensPerFrame, D]
 */
export function alignToFrames(
  states: Tensor,
  config: AudioConfig,
  rate: FrameRate,
  { first = 0, count, firstStep = 0 }: { readonly first?: number; readonly count: number; readonly firstStep?: number },
): Tensor {
  const [batch = 0, steps = 0, width = 0] = states.shape;
  if (steps === 0) throw new ShapeError("alignToFrames: states must have at least one step, got 0");
  const tokens = count * rate.tokensPerFrame;
  const positions = Array.from({ length: tokens }, (_, i) => {
    const time = tokenTime(rate, first + Math.floor(i / rate.tokensPerFrame), i % rate.tokensPerFrame);
    return stepAt(config, time) - firstStep;
  });
  return sampleLinear(states, 1, positions).reshape([batch, count, rate.tokensPerFrame, width]);
}
