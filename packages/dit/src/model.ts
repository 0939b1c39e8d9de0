import { Rng } from "@omni/core";
import type { Tensor } from "@omni/core";
import { loadNetwork } from "@omni/core/checkpoint";
import type { ByteInput, NetworkFormat, NetworkOptions } from "@omni/core/checkpoint";
import { Module } from "@omni/core/nn";
import { AudioEmbed } from "./audio-attention.ts";
import { omniBlock } from "./block-config.ts";
import { Block } from "./block.ts";
import type { BlockContext, Streams } from "./block.ts";
import { checkDitConfig, parseDitConfig, PATCH } from "./config.ts";
import type { DitConfig } from "./config.ts";
import type { Denoiser } from "./denoiser.ts";
import { FinalLayer } from "./final-layer.ts";
import { layoutOf } from "./inputs.ts";
import type { DitInputs, Layout } from "./inputs.ts";
import { keyMask, packedKeyMask } from "./key-mask.ts";
import { inRow, packOf, tokenRows } from "./packing.ts";
import type { PackedClip } from "./packing.ts";
import { PatchEmbed, unpatchify } from "./patch-embed.ts";
import { recomputedBlock } from "./recompute-block.ts";
import { referencePrior } from "./reference-prior.ts";
import { rope3d, tokenPositions } from "./rope3d.ts";
import type { Position, Rope } from "./rope3d.ts";
import { TextEmbed } from "./text-embed.ts";
import { MODULATION_ROWS, TimeEmbed } from "./timestep.ts";

// a session sees few distinct sizes: guidance branches with and without text, first and later segments
const CACHED_ROPES = 16;

/** How an {@link MMDiT} starts and trains. */
export interface MMDiTOptions {
  /** Memory for time in training. Default false. */
  readonly recompute?: boolean;
  readonly rng?: Rng;
}

/**
 * Multimodal diffusion transformer of OmniHuman: predicts the velocity v = ε − x_0 of noised video latents under any mix of text,
 * reference image, motion frames, audio and pose.
 *
 * @see OmniHuman-1, section 3; Esser et al. 2024 (MMDiT)
 */
export class MMDiT extends Module implements Denoiser {
  /** How its files are recognised. */
  static readonly format: NetworkFormat<DitConfig, MMDiT> = {
    model: "omni-dit",
    parse: parseDitConfig,
    build: (config) => new MMDiT(config),
    layouts: [],
  };
  readonly patchEmbed: PatchEmbed;
  readonly textIn: TextEmbed;
  readonly timeIn: TimeEmbed;
  readonly audioIn: AudioEmbed;
  readonly blocks: readonly Block[];
  readonly finalLayer: FinalLayer;
  readonly #config: DitConfig;
  readonly #recompute: boolean;
  readonly #ropes = new Map<string, Rope>();

  /**
   * @param options.recompute whether training computes the blocks' inside again instead of keeping it; results are the same
   * @throws ConfigError when the config contradicts itself
   */
  constructor(config: DitConfig, { recompute = false, rng = new Rng(0) }: MMDiTOptions = {}) {
    super();
    checkDitConfig(config);
    this.#config = config;
    this.#recompute = recompute;
    this.patchEmbed = new PatchEmbed(config, rng.fork("patchEmbed"));
    this.textIn = new TextEmbed(config, rng.fork("textIn"));
    this.timeIn = new TimeEmbed(config, rng.fork("timeIn"));
    this.audioIn = new AudioEmbed(config, rng.fork("audioIn"));
    const blocks = rng.fork("blocks");
    const block = omniBlock(config);
    this.blocks = Array.from({ length: config.depth }, (_, index) => {
      const hasText = index < config.doubleBlocks;
      return new Block(block, { hasText, isLast: index === config.depth - 1, audio: config, rng: blocks.fork(index) });
    });
    this.finalLayer = new FinalLayer(block, config.latentChannels * PATCH.y * PATCH.x, rng.fork("finalLayer"));
  }

  /**
   * Loads a file of ours that holds the denoiser alone; `Denoiser.load` of @omni/human reads those that hold it with its conditions.
   *
   * @param source bytes, a Blob, a URL, a place on the hub, or in Node a path
   * @throws CheckpointError when the file holds another network, or names or shapes do not fit
   */
  static load(source: ByteInput, options: NetworkOptions<DitConfig> = {}): Promise<MMDiT> {
    return loadNetwork(source, MMDiT.format, options);
  }

  get config(): DitConfig {
    return this.#config;
  }

  /**
   * @returns velocity of the noised frames, [B, C, T, h, w]
   * @throws ShapeError when an input does not fit the config or the other inputs
   */
  forward(inputs: DitInputs): Tensor {
    const layout = layoutOf(this.#config, inputs);
    const time = this.timeIn.forward(inputs.t, layout);
    const context = {
      time,
      audio: this.audioIn.forward(inputs, layout),
      rope: this.#ropeFor(layout),
      keyMask: keyMask(inputs, layout),
      pack: null,
      layout,
    };
    let streams: Streams = {
      video: this.patchEmbed.forward(inputs, layout),
      text: inputs.text && layout.textLength > 0 ? this.textIn.forward(inputs.text) : null,
    };
    for (const block of this.blocks) streams = this.#through(block, streams, context);
    return this.#velocity(this.finalLayer.forward(streams.video, time.vector), { inputs, layout });
  }

  /**
   * Clips of different lengths, sizes and conditions in one sequence, none of which sees another: no padding, and one pass for all.
   *
   * @param clips each of batch size 1
   * @returns each clip's velocity, as `forward` gives it
   * @throws ShapeError as `forward`, or when a clip is a batch
   */
  forwardPacked(clips: readonly DitInputs[]): Tensor[] {
    const packed = clips.map((inputs): PackedClip => ({ inputs, layout: layoutOf(this.#config, inputs) }));
    const layouts = packed.map(({ layout }) => layout);
    const pack = packOf(layouts, this.audioIn.slotPosition.shape[0] ?? 0);
    const { width } = this.#config;
    const parts = packed.map(({ inputs, layout }) => {
      const time = this.timeIn.forward(inputs.t, layout);
      return {
        video: tokenRows(this.patchEmbed.forward(inputs, layout), layout, [width]),
        text: inputs.text && layout.textLength > 0 ? this.textIn.forward(inputs.text).reshape([1, -1, 1, width]) : null,
        time: tokenRows(time.video.unsqueeze(2), layout, [MODULATION_ROWS, width]),
        textTime: time.text.expand([1, layout.textLength, MODULATION_ROWS, width]),
        vector: time.vector.expand([1, layout.noisyFrames * layout.tokensPerFrame, 1, width]),
        audio: this.audioIn.forward(inputs, layout),
      };
    });
    const row = (of: (part: (typeof parts)[number]) => { readonly clean: Tensor; readonly noisy: Tensor }): Tensor =>
      inRow([...parts.map((part) => of(part).clean), ...parts.map((part) => of(part).noisy)]);
    const texts = parts.map(({ text }) => text).filter((text) => text !== null);
    const noisyTokens = layouts.reduce((sum, layout) => sum + layout.noisyFrames * layout.tokensPerFrame, 0);
    const video = row((part) => part.video).unsqueeze(2);
    const context = {
      time: { video: row((part) => part.time), text: inRow(parts.map(({ textTime }) => textTime)) },
      audio: inRow(parts.map(({ audio }) => audio)),
      rope: this.#packedRope(layouts),
      keyMask: packedKeyMask(packed),
      pack,
      layout: { referenceFrames: 0, motionFrames: 0, noisyFrames: noisyTokens, frames: video.shape[1] ?? 0 },
    };
    let streams: Streams = { video, text: texts.length > 0 ? inRow(texts) : null };
    for (const block of this.blocks) streams = this.#through(block, streams, context);
    const answers = this.finalLayer.forward(streams.video, inRow(parts.map(({ vector }) => vector)));
    let first = 0;
    return packed.map((clip) => {
      const { noisyFrames, tokensPerFrame } = clip.layout;
      const start = first;
      first += noisyFrames * tokensPerFrame;
      return this.#velocity(answers.slice(1, start, first).reshape([1, noisyFrames, tokensPerFrame, -1]), clip);
    });
  }

  #through(block: Block, streams: Streams, context: BlockContext): Streams {
    return this.#recompute ? recomputedBlock(block, streams, context) : block.forward(streams, context);
  }

  /** The network's answer around the prior, where there is one. */
  #velocity(tokens: Tensor, { inputs, layout }: PackedClip): Tensor {
    const answer = unpatchify(tokens, layout);
    const { referencePrior: kinds } = this.#config;
    if (kinds.length === 0) return answer;
    const prior = referencePrior(inputs, kinds);
    return answer.mul(prior.deviation).add(prior.mean);
  }

  /** Positions of a row of packed clips. */
  #packedRope(layouts: readonly Layout[]): Rope {
    const { textRope } = this.#config;
    const parts = layouts.map((layout) => {
      const { textLength, frames, noisyFrames, tokensPerFrame } = layout;
      const positions = tokenPositions(layout, textRope);
      const noisyFrom = textLength + (frames - noisyFrames) * tokensPerFrame;
      return [
        positions.slice(0, textLength),
        positions.slice(textLength, noisyFrom),
        positions.slice(noisyFrom),
      ] as const;
    });
    const key = layouts.map(ropeKey).join(";");
    return this.#cachedRope(key, () => ([0, 1, 2] as const).flatMap((part) => parts.flatMap((clip) => clip[part])));
  }

  #ropeFor(layout: Layout): Rope {
    return this.#cachedRope(ropeKey(layout), () => tokenPositions(layout, this.#config.textRope));
  }

  #cachedRope(key: string, positions: () => readonly Position[]): Rope {
    const known = this.#ropes.get(key);
    if (known) return known;
    const [oldest] = this.#ropes.keys();
    if (oldest !== undefined && this.#ropes.size >= CACHED_ROPES) this.#ropes.delete(oldest);
    const rope = rope3d(positions(), this.#config);
    this.#ropes.set(key, rope);
    return rope;
  }
}

const ropeKey = ({ referenceFrames, motionFrames, frames, rows, columns, textLength }: Layout): string =>
  [referenceFrames, motionFrames, frames, rows, columns, textLength].join();
