import { Rng, tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import { Linear, Module } from "@omni/core/nn";
import { AudioEmbed } from "./audio-attention.ts";
import { Block } from "./block.ts";
import type { Streams } from "./block.ts";
import { checkDitConfig } from "./config.ts";
import type { DitConfig } from "./config.ts";
import { layoutOf } from "./inputs.ts";
import type { DitInputs, Layout } from "./inputs.ts";
import { keyMask } from "./joint-attention.ts";
import { modulatedNorm } from "./layers.ts";
import { PatchEmbed, unpatchify } from "./patch-embed.ts";
import { referencePrior } from "./reference-prior.ts";
import { rope3d, tokenPositions } from "./rope3d.ts";
import type { Rope } from "./rope3d.ts";
import { TimeEmbed } from "./timestep.ts";

// a session sees few distinct sizes: guidance branches with and without text, first and later segments
const CACHED_ROPES = 16;

/** Text encoder states → text tokens: a two-layer projection. */
class TextEmbed extends Module {
  readonly in: Linear;
  readonly out: Linear;

  constructor({ textDim, width }: DitConfig, rng: Rng) {
    super();
    this.in = new Linear(textDim, width, { rng: rng.fork("in") });
    this.out = new Linear(width, width, { rng: rng.fork("out") });
  }

  /** [B, L, textDim] → [B, 1, L, D] */
  forward(text: Tensor): Tensor {
    return this.out.forward(this.in.forward(text).gelu()).unsqueeze(1);
  }
}

/** Modulated norm and the projection back to patches; the projection starts at zero. */
class FinalLayer extends Module {
  /** Shift and scale, [2, D]. */
  readonly modulation: Tensor;
  readonly projection: Linear;

  constructor({ width, latentChannels }: DitConfig, rng: Rng) {
    super();
    this.modulation = tensor(new Float32Array(2 * width), { shape: [2, width] });
    this.projection = new Linear(width, latentChannels * 4, { rng: rng.fork("projection"), init: "zeros" });
  }

  /** @param vector time, [B, 1, 1, D] */
  forward(video: Tensor, vector: Tensor): Tensor {
    const row = (i: number): Tensor => vector.add(this.modulation.slice(0, i, i + 1));
    return this.projection.forward(modulatedNorm(video, { shift: row(0), scale: row(1) }));
  }
}

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
    this.blocks = Array.from(
      { length: config.depth },
      (_, index) => new Block(config, { index, rng: blocks.fork(index) }),
    );
    this.finalLayer = new FinalLayer(config, rng.fork("finalLayer"));
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
