import { attention } from "@omni/core";
import type { Rng, Tensor } from "@omni/core";
import { LayerNorm, Linear, Module } from "@omni/core/nn";
import { jointAttention } from "../joint-attention.ts";
import { qkScale, Stream } from "../layers.ts";
import { blockModulation, headNorm, modulatedNorm, modulationWeights } from "../modulation.ts";
import type { ModulationWeights } from "../modulation.ts";
import type { Rope } from "../rope3d.ts";
import { wanBlock } from "./config.ts";
import type { WanConfig } from "./config.ts";

const NORM_EPS = 1e-6;

/** What every block is given beside the video tokens. */
export interface WanContext {
  /** Shared modulation, [B, T, 6, D]. */
  readonly time: Tensor;
  readonly rope: Rope;
  /** Text tokens, [B, L, D]. */
  readonly text: Tensor;
  /** Additive, [B, 1, 1, L]; null where all text is seen. */
  readonly textMask: Tensor | null;
}

/** Cross-attention of all video tokens to all text tokens. */
class TextAttention extends Module {
  readonly query: Linear;
  readonly keyValue: Linear;
  /** [2 (q, k), D] */
  readonly qkScale: Tensor;
  readonly projection: Linear;
  readonly #headDim: number;

  constructor({ width, headDim }: WanConfig, rng: Rng) {
    super();
    this.query = new Linear(width, width, { rng: rng.fork("query") });
    this.keyValue = new Linear(width, 2 * width, { rng: rng.fork("keyValue") });
    this.qkScale = qkScale(width);
    this.projection = new Linear(width, width, { rng: rng.fork("projection") });
    this.#headDim = headDim;
  }

  /** @param video [B, T, P, D] @returns what to add to it */
  forward(video: Tensor, text: Tensor, mask: Tensor | null): Tensor {
    const [batch = 0, frames = 0, perFrame = 0, width = 0] = video.shape;
    const heads = (x: Tensor): Tensor =>
      x.reshape([batch, -1, width / this.#headDim, this.#headDim]).permute([0, 2, 1, 3]);
    const scaled = (x: Tensor, row: number): Tensor => headNorm(x).mul(this.qkScale.slice(0, row, row + 1));
    const query = scaled(this.query.forward(video.reshape([batch, frames * perFrame, width])), 0);
    const keyValue = this.keyValue.forward(text);
    const attended = attention(
      heads(query),
      heads(scaled(keyValue.slice(2, 0, width), 1)),
      heads(keyValue.slice(2, width, 2 * width)),
      mask ? { mask } : {},
    );
    return this.projection.forward(attended.permute([0, 2, 1, 3]).reshape([batch, frames, perFrame, width]));
  }
}

/**
 * One block of Wan2.1: self-attention of the video tokens, cross-attention to the text, FFN; the first and the last modulated by time.
 *
 * @see Wan Team 2025, "Wan: Open and Advanced Large-Scale Video Generative Models"; `WanAttentionBlock`
 */
export class WanBlock extends Module {
  readonly video: Stream;
  readonly modulation: ModulationWeights;
  readonly crossNorm: LayerNorm | null;
  readonly cross: TextAttention;

  constructor(config: WanConfig, rng: Rng) {
    super();
    const block = wanBlock(config);
    this.video = new Stream(block, { rng: rng.fork("video"), inputOnly: false });
    this.modulation = modulationWeights(block, { rng: rng.fork("modulation"), inputOnly: false });
    this.crossNorm = config.crossNorm ? new LayerNorm(config.width, { eps: NORM_EPS }) : null;
    this.cross = new TextAttention(config, rng.fork("cross"));
  }

  /** @param video [B, T, P, D] */
  forward(video: Tensor, { time, rope, text, textMask }: WanContext): Tensor {
    const modulation = blockModulation(time, this.modulation);
    const streams = { video: this.video, text: this.video };
    const normed = modulatedNorm(video, modulation.attention, this.video.config.norm);
    const heads = jointAttention(
      streams,
      { text: null, video: normed },
      { rope, keyMask: null, pack: null },
      null,
    ).video;
    const attended = this.video.attended(video, heads, modulation.attention);
    const read = attended.add(this.cross.forward(this.crossNorm?.forward(attended) ?? attended, text, textMask));
    return this.video.feedForward(read, modulation.ffn);
  }
}
