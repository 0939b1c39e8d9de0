import { attention, layerNorm, tensor } from "@omni/core";
import type { Rng, Tensor } from "@omni/core";
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
    const [batch = 0, frames = 0, perFrame = 0, width = 0] = video.shape;
    const slots = audio.shape[2] ?? 0;
    const headDim = this.qkScale.shape[1] ?? width;
    const heads = width / headDim;
    const scale = (index: number): Tensor => this.qkScale.slice(0, index, index + 1).reshape([headDim]);
    const query = this.query.forward(this.norm.forward(video)).reshape([batch * frames, perFrame, heads, headDim]);
    const keyValue = this.keyValue.forward(audio).reshape([batch * frames, slots, 2, heads, headDim]);
    const part = (index: number): Tensor => keyValue.slice(2, index, index + 1).squeeze(2);
    const attended = attention(
      headNorm(query).mul(scale(0)).permute([0, 2, 1, 3]),
      headNorm(part(0)).mul(scale(1)).permute([0, 2, 1, 3]),
      part(1).permute([0, 2, 1, 3]),
      { mask: this.slotBias.reshape([1, heads, 1, slots]) },
    );
    return this.projection.forward(attended.permute([0, 2, 1, 3]).reshape([batch, frames, perFrame, width]));
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
