import type { Rng, Tensor } from "@omni/core";
import { Module } from "@omni/core/nn";
import { AudioAttention } from "./audio-attention.ts";
import type { BlockConfig } from "./block-config.ts";
import type { DitConfig } from "./config.ts";
import type { Layout } from "./inputs.ts";
import { jointAttention } from "./joint-attention.ts";
import type { JointContext } from "./joint-attention.ts";
import { Stream } from "./layers.ts";
import { blockModulation, inputModulation, modulatedNorm, modulationWeights } from "./modulation.ts";
import type { ModulationWeights } from "./modulation.ts";
import type { TimeModulation } from "./timestep.ts";

/** The two token streams: `video` [B, frames, P, D], `text` [B, 1, L, D] or null. Packed: rows of tokens, [1, N, 1, D] and [1, L, 1, D]. */
export interface Streams {
  readonly video: Tensor;
  readonly text: Tensor | null;
}

/** What every block is given beside the streams. */
export interface BlockContext extends JointContext {
  /** Packed: of each token. */
  readonly time: Pick<TimeModulation, "video" | "text">;
  /** [B, motion + noisy frames, slots, D], packed those of all clips; null in a model that hears nothing. */
  readonly audio: Tensor | null;
  readonly layout: Pick<Layout, "referenceFrames" | "motionFrames" | "noisyFrames" | "frames">;
}

/** Where a block stands and what it has. */
export interface BlockOptions {
  /** Whether text has weights of its own. */
  readonly hasText: boolean;
  /** Nobody reads the last block's text and clean frames. */
  readonly isLast: boolean;
  /** What the model hears, or null. */
  readonly audio: DitConfig | null;
  readonly rng: Rng;
}

/**
 * One MMDiT block: joint self-attention, frame-wise audio cross-attention, FFN; each a gated or zero-initialised residual.
 *
 * The last block computes only the noised frames: nobody reads the others any more.
 */
export class Block extends Module {
  readonly video: Stream;
  /** Null in hybrid blocks, which use the video stream's weights for text. */
  readonly text: Stream | null;
  readonly videoModulation: ModulationWeights;
  readonly textModulation: ModulationWeights;
  /** Null in a model that hears nothing. */
  readonly audio: AudioAttention | null;
  readonly #isLast: boolean;

  constructor(config: BlockConfig, { hasText, isLast, audio, rng }: BlockOptions) {
    super();
    this.#isLast = isLast;
    this.video = new Stream(config, { rng: rng.fork("video"), inputOnly: false });
    this.text = hasText ? new Stream(config, { rng: rng.fork("text"), inputOnly: isLast }) : null;
    this.videoModulation = modulationWeights(config, { rng: rng.fork("videoModulation"), inputOnly: false });
    this.textModulation = modulationWeights(config, { rng: rng.fork("textModulation"), inputOnly: isLast });
    this.audio = audio && new AudioAttention(audio, rng.fork("audio"));
  }

  forward({ video, text }: Streams, { time, audio, layout, rope, keyMask, pack }: BlockContext): Streams {
    const streams = { video: this.video, text: this.text ?? this.video };
    const { norm } = this.video.config;
    const { referenceFrames, motionFrames, noisyFrames, frames } = layout;
    const onlyFrom = this.#isLast ? frames - noisyFrames : null;
    const kept = (x: Tensor): Tensor => (onlyFrom ? x.slice(1, onlyFrom, frames) : x);

    const videoMod = blockModulation(time.video, this.videoModulation);
    const normed = {
      video: modulatedNorm(video, videoMod.attention, norm),
      text: text && modulatedNorm(text, inputModulation(time.text, this.textModulation), norm),
    };
    const attended = jointAttention(streams, normed, { rope, keyMask, pack }, onlyFrom);

    const keptMod = onlyFrom ? blockModulation(kept(time.video), this.videoModulation) : videoMod;
    let img = streams.video.attended(kept(video), attended.video, keptMod.attention);
    if (this.audio && audio && pack) {
      const queries = onlyFrom === null ? pack.frames.all : pack.frames.noisy;
      img = img.add(this.audio.forwardPacked(img, audio, { queries, keys: pack.frames.slots }));
    } else if (this.audio && audio)
      img =
        onlyFrom === null
          ? hear(this.audio, img, audio, referenceFrames)
          : hear(this.audio, img, audio.slice(1, motionFrames), 0);
    img = streams.video.feedForward(img, keptMod.ffn);
    if (!text || !attended.text) return { video: img, text: null };
    const textMod = blockModulation(time.text, this.textModulation);
    const txt = streams.text.attended(text, attended.text, textMod.attention);
    return { video: img, text: streams.text.feedForward(txt, textMod.ffn) };
  }
}

/** Adds the audio cross-attention to all frames but the first `deaf` ones, the reference. */
function hear(attention: AudioAttention, video: Tensor, audio: Tensor, deaf: number): Tensor {
  if (deaf === 0) return video.add(attention.forward(video, audio));
  const heard = attention.forward(video.slice(1, deaf), audio);
  return video.add(
    heard.pad([
      [0, 0],
      [deaf, 0],
      [0, 0],
      [0, 0],
    ]),
  );
}
