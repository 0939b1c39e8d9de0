import { attention, layerNorm, tensor } from "@omni/core";
import type { AttentionOptions, Rng, Tensor } from "@omni/core";
import { Linear, Module, RMSNorm } from "@omni/core/nn";
import { gatherWindows, windowFrames } from "./audio-window.ts";
import { TEMPORAL_STRIDE } from "./config.ts";
import type { DitConfig } from "./config.ts";
import type { DitInputs, Layout } from "./inputs.ts";
import { qkScale } from "./layers.ts";
import { headNorm } from "./modulation.ts";

const INIT_STD = 0.02;
// a latent frame must tell its four video frames apart from the first step on: beside unit tokens, 0.02 would drown
const SLOT_STD = 0.5;
/** Width of what a head hears at first, video frames. */
const HEARING_WIDTH = 0.75;

/**
 * Audio features → tokens of the model's width, gathered per latent frame.
 *
 * A two-layer MLP on the normalised features; a learned null stands in for absent or dropped audio; a learned position marks each
 * token's slot in the window.
 */
export class AudioEmbed extends Module {
  readonly in: Linear;
  readonly out: Linear;
  readonly norm: RMSNorm;
  /** [D] */
  readonly absent: Tensor;
  /** [slots, D] */
  readonly slotPosition: Tensor;
  readonly #window: number;

  constructor({ audioDim, audioTokensPerFrame, audioWindow, width }: DitConfig, rng: Rng) {
    super();
    this.in = new Linear(audioDim, width, { rng: rng.fork("in") });
    this.out = new Linear(width, width, { rng: rng.fork("out") });
    this.norm = new RMSNorm(width);
    this.absent = rng.fork("absent").normal([width]).mul(INIT_STD);
    const slots = windowFrames(audioWindow) * audioTokensPerFrame;
    this.slotPosition = rng.fork("slotPosition").normal([slots, width]).mul(SLOT_STD);
    this.#window = audioWindow;
  }

  /** @returns keys' and values' source, [B, motion + noisy frames, slots, D] */
  forward({ audio, audioMask }: DitInputs, { batch, motionFrames, noisyFrames }: Layout): Tensor {
    const latentFrames = motionFrames + noisyFrames;
    const [slots = 0, width = 0] = this.slotPosition.shape;
    if (!audio)
      return this.absent
        .add(this.slotPosition)
        .reshape([1, 1, slots, width])
        .expand([batch, latentFrames, slots, width]);
    const features = layerNorm(audio);
    const tokens = this.norm.forward(this.out.forward(this.in.forward(features).silu()));
    const active = audioMask
      ? tokens
          .sub(this.absent)
          .mul(audioMask.reshape([batch, 1, 1, 1]))
          .add(this.absent)
      : tokens;
    return gatherWindows(active, latentFrames, this.#window).add(this.slotPosition);
  }
}

/**
 * Frame-wise cross-attention: the video tokens of a latent frame see the audio tokens of that frame's window, nothing else.
 * The output projection starts at zero, so that audio joins a trained model without a jolt.
 *
 * @see OmniHuman-1, "Driving Conditions"
 */
export class AudioAttention extends Module {
  readonly norm: RMSNorm;
  readonly query: Linear;
  readonly keyValue: Linear;
  /** [2 (q, k), headDim] */
  readonly qkScale: Tensor;
  /** Added to the scores, [heads, slots]. */
  readonly slotBias: Tensor;
  readonly projection: Linear;

  constructor({ width, headDim, audioWindow, audioTokensPerFrame }: DitConfig, rng: Rng) {
    super();
    this.norm = new RMSNorm(width);
    this.query = new Linear(width, width, { bias: false, rng: rng.fork("query") });
    this.keyValue = new Linear(width, 2 * width, { bias: false, rng: rng.fork("keyValue") });
    this.qkScale = qkScale(headDim);
    this.slotBias = hearingBias(width / headDim, audioWindow, audioTokensPerFrame);
    this.projection = new Linear(width, width, { bias: false, rng: rng.fork("projection"), init: "zeros" });
  }

  /**
   * @param video tokens of frames that hear, [B, frames, P, D]
   * @param audio [B, frames, slots, D]
   * @returns what to add to `video`, same shape
   */
  forward(video: Tensor, audio: Tensor): Tensor {
    const [batch = 0, frames = 0, perFrame = 0] = video.shape;
    const slots = audio.shape[2] ?? 0;
    return this.#attend(
      video,
      { source: video, shape: [batch * frames, perFrame] },
      { source: audio, shape: [batch * frames, slots] },
      { mask: this.#bias([1, slots]) },
    );
  }

  /**
   * Packed clips of frames that differ in size.
   *
   * @param video tokens, [1, N, 1, D]; those that hear nothing get nothing
   * @param audio of all clips' frames, [1, F, slots, D]
   * @param frames the frame of each token, [1, N], and of each slot, [1, F · slots]
   * @returns what to add to `video`, same shape
   */
  forwardPacked(video: Tensor, audio: Tensor, frames: { readonly queries: Tensor; readonly keys: Tensor }): Tensor {
    const [, count = 0, slots = 0] = audio.shape;
    return this.#attend(
      video,
      { source: video, shape: [1, video.shape[1] ?? 0] },
      { source: audio, shape: [1, count * slots] },
      { mask: this.#bias([count, slots]), segments: frames },
    );
  }

  #attend(
    video: Tensor,
    query: { readonly source: Tensor; readonly shape: readonly [number, number] },
    keyValue: { readonly source: Tensor; readonly shape: readonly [number, number] },
    options: AttentionOptions,
  ): Tensor {
    const width = video.shape[3] ?? 0;
    const headDim = this.qkScale.shape[1] ?? width;
    const heads = width / headDim;
    const scale = (index: number): Tensor => this.qkScale.slice(0, index, index + 1).reshape([headDim]);
    const queries = this.query.forward(this.norm.forward(query.source)).reshape([...query.shape, heads, headDim]);
    const both = this.keyValue.forward(keyValue.source).reshape([...keyValue.shape, 2, heads, headDim]);
    const part = (index: number): Tensor => both.slice(2, index, index + 1).squeeze(2);
    const attended = attention(
      headNorm(queries).mul(scale(0)).permute([0, 2, 1, 3]),
      headNorm(part(0)).mul(scale(1)).permute([0, 2, 1, 3]),
      part(1).permute([0, 2, 1, 3]),
      options,
    );
    return this.projection.forward(attended.permute([0, 2, 1, 3]).reshape(video.shape));
  }

  /** The slots' bias for so many frames in a row, [1, heads, 1, frames · slots]. */
  #bias([frames, slots]: readonly [number, number]): Tensor {
    const heads = this.slotBias.shape[0] ?? 1;
    if (frames === 1) return this.slotBias.reshape([1, heads, 1, slots]);
    return this.slotBias
      .reshape([1, heads, 1, 1, slots])
      .expand([1, heads, 1, frames, slots])
      .reshape([1, heads, 1, frames * slots]);
  }
}

/**
 * Heads start out listening to moments spread over the four video frames of a latent frame. Without it all of them begin with the mean over the
 * window, where a syllable is gone, and training stands still until some head has found a moment.
 */
function hearingBias(heads: number, window: number, perFrame: number): Tensor {
  const slots = windowFrames(window) * perFrame;
  const values = new Float32Array(heads * slots);
  for (let head = 0; head < heads; head++)
    for (let slot = 0; slot < slots; slot++) {
      const heard = (slot + 0.5) / perFrame;
      const centre = window + (TEMPORAL_STRIDE * (head + 0.5)) / heads;
      values[head * slots + slot] = -((heard - centre) ** 2) / (2 * HEARING_WIDTH ** 2);
    }
  return tensor(values, { shape: [heads, slots] });
}
