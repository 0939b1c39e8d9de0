import type { Rng, Tensor } from "@omni/core";
import { Module } from "@omni/core/nn";
import { AudioAttention } from "./audio-attention.ts";
import type { DitConfig } from "./config.ts";
import type { Layout } from "./inputs.ts";
import { jointAttention } from "./joint-attention.ts";
import type { JointContext } from "./joint-attention.ts";
import { blockModulation, modulatedNorm, modulationTable, Stream } from "./layers.ts";
import type { TimeModulation } from "./timestep.ts";

/** The two token streams: `video` [B, frames, P, D], `text` [B, 1, L, D] or null. */
export interface Streams {
  readonly video: Tensor;
  readonly text: Tensor | null;
}

/** What every block is given beside the streams. */
export interface BlockContext extends JointContext {
  readonly time: TimeModulation;
  /** [B, motion + noisy frames, slots, D] */
  readonly audio: Tensor;
  readonly layout: Layout;
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
  readonly videoModulation: Tensor;
  readonly textModulation: Tensor;
  readonly audio: AudioAttention;
  readonly #isLast: boolean;

  constructor(config: DitConfig, { index, rng }: { readonly index: number; readonly rng: Rng }) {
    super();
    this.#isLast = index === config.depth - 1;
    this.video = new Stream(config, { rng: rng.fork("video"), inputOnly: false });
    this.text =
      index < config.doubleBlocks ? new Stream(config, { rng: rng.fork("text"), inputOnly: this.#isLast }) : null;
    this.videoModulation = modulationTable(config);
    this.textModulation = modulationTable(config);
    this.audio = new AudioAttention(config, rng.fork("audio"));
  }

  forward({ video, text }: Streams, { time, audio, layout, rope, keyMask }: BlockContext): Streams {
    const streams = { video: this.video, text: this.text ?? this.video };
    const { referenceFrames, motionFrames, noisyFrames, frames } = layout;
    const onlyFrom = this.#isLast ? frames - noisyFrames : null;
    const kept = (x: Tensor): Tensor => (onlyFrom ? x.slice(1, onlyFrom, frames) : x);

    const videoMod = blockModulation(time.video, this.videoModulation);
    const textMod = blockModulation(time.text, this.textModulation);
    const normed = {
      video: modulatedNorm(video, videoMod.attention),
      text: text && modulatedNorm(text, textMod.attention),
    };
    const attended = jointAttention(streams, normed, { rope, keyMask }, onlyFrom);

    const keptMod = onlyFrom ? blockModulation(kept(time.video), this.videoModulation) : videoMod;
    let img = streams.video.attended(kept(video), attended.video, keptMod.attention);
    img =
      onlyFrom === null ? this.#hear(img, audio, referenceFrames) : this.#hear(img, audio.slice(1, motionFrames), 0);
    img = streams.video.feedForward(img, keptMod.ffn);
    if (!text || !attended.text) return { video: img, text: null };
    const txt = streams.text.attended(text, attended.text, textMod.attention);
    return { video: img, text: streams.text.feedForward(txt, textMod.ffn) };
  }

  /** Adds the audio cross-attention to all frames but the first `deaf` ones, the reference. */
  #hear(video: Tensor, audio: Tensor, deaf: number): Tensor {
    if (deaf === 0) return video.add(this.audio.forward(video, audio));
    const heard = this.audio.forward(video.slice(1, deaf), audio);
    return video.add(
      heard.pad([
        [0, 0],
        [deaf, 0],
        [0, 0],
        [0, 0],
      ]),
    );
  }
}
