import { Rng } from "@omni/core";
import type { Tensor } from "@omni/core";
import { Module } from "@omni/core/nn";
import { AudioEmbed } from "./audio-attention.ts";
import { omniBlock } from "./block-config.ts";
import { Block } from "./block.ts";
import type { Streams } from "./block.ts";
import { checkDitConfig, PATCH } from "./config.ts";
import type { DitConfig } from "./config.ts";
import { FinalLayer } from "./final-layer.ts";
import { layoutOf } from "./inputs.ts";
import type { DitInputs, Layout } from "./inputs.ts";
import { keyMask } from "./joint-attention.ts";
import { PatchEmbed, unpatchify } from "./patch-embed.ts";
import { referencePrior } from "./reference-prior.ts";
import { rope3d, tokenPositions } from "./rope3d.ts";
import type { Rope } from "./rope3d.ts";
import { TextEmbed } from "./text-embed.ts";
import { TimeEmbed } from "./timestep.ts";

// a session sees few distinct sizes: guidance branches with and without text, first and later segments
const CACHED_ROPES = 16;

/**
 * Multimodal diffusion transformer of OmniHuman: predicts the velocity v = ε − x_0 of noised video latents under any mix of text,
 * reference image, motion frames, audio and pose.
 *
 * @see OmniHuman-1, section 3; Esser et al. 2024 (MMDiT)
 */
export class MMDiT extends Module {
  readonly patchEmbed: PatchEmbed;
  readonly textIn: TextEmbed;
  readonly timeIn: TimeEmbed;
  readonly audioIn: AudioEmbed;
  readonly blocks: readonly Block[];
  readonly finalLayer: FinalLayer;
  readonly #config: DitConfig;
  readonly #ropes = new Map<string, Rope>();

  /** @throws ConfigError when the config contradicts itself */
  constructor(config: DitConfig, { rng = new Rng(0) }: { readonly rng?: Rng } = {}) {
    super();
    checkDitConfig(config);
    this.#config = config;
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
      layout,
    };
    let streams: Streams = {
      video: this.patchEmbed.forward(inputs, layout),
      text: inputs.text && layout.textLength > 0 ? this.textIn.forward(inputs.text) : null,
    };
    for (const block of this.blocks) streams = block.forward(streams, context);
    const answer = unpatchify(this.finalLayer.forward(streams.video, time.vector), layout);
    const { referencePrior: kinds } = this.#config;
    if (kinds.length === 0) return answer;
    const prior = referencePrior(inputs, kinds);
    return answer.mul(prior.deviation).add(prior.mean);
  }

  #ropeFor(layout: Layout): Rope {
    const { referenceFrames, frames, rows, columns, textLength } = layout;
    const key = [referenceFrames, frames, rows, columns, textLength].join();
    const known = this.#ropes.get(key);
    if (known) return known;
    const [oldest] = this.#ropes.keys();
    if (oldest !== undefined && this.#ropes.size >= CACHED_ROPES) this.#ropes.delete(oldest);
    const rope = rope3d(tokenPositions(layout, this.#config.textRope), this.#config);
    this.#ropes.set(key, rope);
    return rope;
  }
}
