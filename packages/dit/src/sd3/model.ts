import { Rng, ShapeError } from "@omni/core";
import type { Tensor } from "@omni/core";
import { loadNetwork } from "@omni/core/checkpoint";
import type { ByteInput, NetworkFormat, NetworkOptions } from "@omni/core/checkpoint";
import { buffer, Linear, Module } from "@omni/core/nn";
import { Block } from "../block.ts";
import type { Streams } from "../block.ts";
import { PATCH } from "../config.ts";
import { FinalLayer } from "../final-layer.ts";
import { patchify, unpatchify } from "../patch-embed.ts";
import { sincosTable2d } from "../sincos.ts";
import { timestepEmbedding } from "../timestep-embedding.ts";
import { checkSd3Config, parseSd3Config, sd3Block } from "./config.ts";
import type { Sd3Config } from "./config.ts";
import { publicLayouts } from "./public-layouts.ts";

const TIME_DIM = 256;

/** Time and the pooled text as one vector: the sum of two two-layer projections. */
class TimeTextEmbed extends Module {
  readonly timeIn: Linear;
  readonly timeOut: Linear;
  readonly pooledIn: Linear;
  readonly pooledOut: Linear;

  constructor({ width, pooledDim }: Sd3Config, rng: Rng) {
    super();
    this.timeIn = new Linear(TIME_DIM, width, { rng: rng.fork("timeIn") });
    this.timeOut = new Linear(width, width, { rng: rng.fork("timeOut") });
    this.pooledIn = new Linear(pooledDim, width, { rng: rng.fork("pooledIn") });
    this.pooledOut = new Linear(width, width, { rng: rng.fork("pooledOut") });
  }

  /** @returns [B, D] */
  forward(timestep: Tensor, pooled: Tensor): Tensor {
    const time = this.timeOut.forward(this.timeIn.forward(timestepEmbedding(timestep, { dim: TIME_DIM })).silu());
    return time.add(this.pooledOut.forward(this.pooledIn.forward(pooled).silu()));
  }
}

/** What SD3 sees in one step. */
export interface Sd3Inputs {
  /** Noised latents of pictures, [B, C, h, w]. */
  readonly noisy: Tensor;
  /** [B], 1000 is noise. */
  readonly timestep: Tensor;
  /** [B, L, textDim] */
  readonly text: Tensor;
  /** [B, pooledDim] */
  readonly pooled: Tensor;
}

/** The velocity and what it came from. */
export interface Sd3States {
  /** Velocity, [B, outChannels, h, w]. */
  readonly velocity: Tensor;
  /** Time vector, [B, D]. */
  readonly vector: Tensor;
  /** Patches with their positions, [B, 1, P, D]. */
  readonly tokens: Tensor;
  /** The two streams after each block; the last block has no text. */
  readonly blocks: readonly Streams[];
}

/**
 * Stable Diffusion 3's multimodal diffusion transformer, made of the blocks of `MMDiT`.
 *
 * @see Esser et al. 2024, "Scaling Rectified Flow Transformers"; diffusers' `SD3Transformer2DModel`
 */
export class Sd3Transformer extends Module {
  /** How its files are recognised. */
  static readonly format: NetworkFormat<Sd3Config, Sd3Transformer> = {
    model: "omni-sd3",
    parse: parseSd3Config,
    build: (config) => new Sd3Transformer(config),
    layouts: publicLayouts,
  };
  readonly patchEmbed: Linear;
  /** [positions², D], a buffer. */
  readonly posEmbed: Tensor;
  readonly timeIn: TimeTextEmbed;
  readonly textIn: Linear;
  readonly blocks: readonly Block[];
  readonly finalLayer: FinalLayer;
  readonly #config: Sd3Config;

  /** @throws ConfigError when the config contradicts itself */
  constructor(config: Sd3Config, { rng = new Rng(0) }: { readonly rng?: Rng } = {}) {
    super();
    checkSd3Config(config);
    const { width, positions, baseSize, depth } = config;
    const area = PATCH.y * PATCH.x;
    const block = sd3Block(config);
    this.#config = config;
    this.patchEmbed = new Linear(config.latentChannels * area, width, { rng: rng.fork("patchEmbed") });
    this.posEmbed = buffer(sincosTable2d({ dim: width, edge: positions, step: baseSize / positions }));
    this.timeIn = new TimeTextEmbed(config, rng.fork("timeIn"));
    this.textIn = new Linear(config.textDim, width, { rng: rng.fork("textIn") });
    const blocks = rng.fork("blocks");
    this.blocks = Array.from(
      { length: depth },
      (_, i) => new Block(block, { hasText: true, isLast: i === depth - 1, audio: null, rng: blocks.fork(i) }),
    );
    this.finalLayer = new FinalLayer(block, config.outChannels * area, rng.fork("finalLayer"));
  }

  /**
   * Loads a file of ours, or the published transformer under its own names or diffusers', alone or out of a file of the whole pipeline.
   *
   * @param source bytes, a Blob, a URL, a place on the hub, or in Node a path
   * @throws CheckpointError when the file holds another network, or names or shapes do not fit
   */
  static load(source: ByteInput, options: NetworkOptions<Sd3Config> = {}): Promise<Sd3Transformer> {
    return loadNetwork(source, Sd3Transformer.format, options);
  }

  get config(): Sd3Config {
    return this.#config;
  }

  /** @returns velocity, [B, outChannels, h, w] */
  forward(inputs: Sd3Inputs): Tensor {
    return this.states(inputs).velocity;
  }

  /**
   * The velocity with all hidden states on the way; those that are not read cost nothing.
   *
   * @throws ShapeError when a picture does not fit the table of positions
   */
  states({ noisy, timestep, text, pooled }: Sd3Inputs): Sd3States {
    const [batch = 0, , height = 0, width = 0] = noisy.shape;
    const grid = { rows: height / PATCH.y, columns: width / PATCH.x };
    const vector = this.timeIn.forward(timestep, pooled);
    const perFrame = vector.unsqueeze(1);
    const tokens = this.patchEmbed.forward(patchify(noisy.unsqueeze(2))).add(this.#positions(grid));
    const context = {
      time: { video: perFrame, text: perFrame },
      rope: null,
      keyMask: null,
      pack: null,
      audio: null,
      layout: ONE,
    };
    const blocks: Streams[] = [];
    let streams: Streams = { video: tokens, text: this.textIn.forward(text).unsqueeze(1) };
    for (const block of this.blocks) blocks.push((streams = block.forward(streams, context)));
    const velocity = unpatchify(this.finalLayer.forward(streams.video, perFrame), grid);
    return { velocity: velocity.reshape([batch, -1, height, width]), vector, tokens, blocks };
  }

  /** The middle of the table of positions, [rows · columns, D]. */
  #positions({ rows, columns }: { readonly rows: number; readonly columns: number }): Tensor {
    const { positions, width } = this.#config;
    if (![rows, columns].every((n) => Number.isInteger(n) && n > 0 && n <= positions))
      throw new ShapeError(
        `Sd3Transformer: pictures must have even sides of at most ${2 * positions} latents, got ${2 * rows}×${2 * columns}`,
      );
    const top = Math.floor((positions - rows) / 2);
    const left = Math.floor((positions - columns) / 2);
    return this.posEmbed
      .reshape([positions, positions, width])
      .slice(0, top, top + rows)
      .slice(1, left, left + columns)
      .reshape([rows * columns, width]);
  }
}

/** A picture is one noised frame. */
const ONE = { referenceFrames: 0, motionFrames: 0, noisyFrames: 1, frames: 1 } as const;
