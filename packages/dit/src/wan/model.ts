import { Rng } from "@omni/core";
import type { Tensor } from "@omni/core";
import { loadNetwork } from "@omni/core/checkpoint";
import type { ByteInput, NetworkFormat, NetworkOptions } from "@omni/core/checkpoint";
import { Linear, Module } from "@omni/core/nn";
import { ConfigError } from "../config-error.ts";
import { PATCH } from "../config.ts";
import type { Denoiser } from "../denoiser.ts";
import { FinalLayer } from "../final-layer.ts";
import { layoutOf } from "../inputs.ts";
import type { DitInputs, Layout } from "../inputs.ts";
import { maskedScores } from "../key-mask.ts";
import { patchify, unpatchify } from "../patch-embed.ts";
import { rope3d } from "../rope3d.ts";
import type { Position } from "../rope3d.ts";
import { TextEmbed } from "../text-embed.ts";
import { TimeEmbed } from "../timestep.ts";
import { WanBlock } from "./block.ts";
import { checkWanConfig, parseWanConfig, wanBlock, wanRopeAxes } from "./config.ts";
import type { WanConfig } from "./config.ts";
import { publicLayouts } from "./public-layouts.ts";

const ROPE_THETA = 10_000;

/** Conditions of {@link DitInputs} that Wan2.1's text-to-video model was not trained with. */
const FOREIGN = [
  "motion",
  "reference",
  "referenceActive",
  "textActive",
  "audio",
  "audioMask",
  "pose",
  "poseActive",
] as const;

/**
 * Wan2.1's text-to-video transformer behind the interface of OmniHuman's own: text in, velocity out. Its public weights load with
 * `WanDit.load`.
 *
 * @see Wan Team 2025; `WanModel`, in diffusers `WanTransformer3DModel`
 */
export class WanDit extends Module implements Denoiser {
  /** How its files are recognised. */
  static readonly format: NetworkFormat<WanConfig, WanDit> = {
    model: "omni-wan-dit",
    parse: parseWanConfig,
    build: (config) => new WanDit(config),
    layouts: publicLayouts,
  };
  readonly patchEmbed: Linear;
  readonly textIn: TextEmbed;
  readonly timeIn: TimeEmbed;
  readonly blocks: readonly WanBlock[];
  readonly finalLayer: FinalLayer;
  readonly #config: WanConfig;

  /** @throws ConfigError when the config contradicts itself */
  constructor(config: WanConfig, { rng = new Rng(0) }: { readonly rng?: Rng } = {}) {
    super();
    checkWanConfig(config);
    const area = PATCH.y * PATCH.x;
    this.#config = config;
    this.patchEmbed = new Linear(config.latentChannels * area, config.width, { rng: rng.fork("patchEmbed") });
    this.textIn = new TextEmbed(config, rng.fork("textIn"));
    this.timeIn = new TimeEmbed(config, rng.fork("timeIn"));
    const blocks = rng.fork("blocks");
    this.blocks = Array.from({ length: config.depth }, (_, i) => new WanBlock(config, blocks.fork(i)));
    this.finalLayer = new FinalLayer(wanBlock(config), config.outChannels * area, rng.fork("finalLayer"));
  }

  /**
   * Loads a file of ours, or the published transformer under Wan's own names or diffusers', alone or out of a file of the whole pipeline.
   *
   * @param source bytes, a Blob, a URL, a place on the hub, or in Node a path
   * @throws CheckpointError when the file holds another network, or names or shapes do not fit
   */
  static load(source: ByteInput, options: NetworkOptions<WanConfig> = {}): Promise<WanDit> {
    return loadNetwork(source, WanDit.format, options);
  }

  get config(): WanConfig {
    return this.#config;
  }

  /**
   * @param inputs `noisy`, `t` and `text`; all other conditions null
   * @returns velocity, [B, outChannels, T, h, w]
   * @throws ShapeError when an input does not fit; ConfigError when another condition is given, or no text
   */
  forward(inputs: DitInputs): Tensor {
    const { noisy, t, text, textMask } = inputs;
    const foreign = FOREIGN.find((name) => inputs[name] !== null);
    if (foreign !== undefined) throw new ConfigError(`WanDit: takes text alone, ${foreign} must be null`);
    if (!text) throw new ConfigError("WanDit: text must be given; the states of an empty prompt stand for none");
    const layout = layoutOf({ ...this.#config, poseChannels: 0, audioDim: 0, audioTokensPerFrame: 0 }, inputs);
    const time = this.timeIn.forward(t, layout);
    const context = {
      time: time.video,
      rope: rope3d(gridPositions(layout), this.#rope, "interleaved"),
      text: this.textIn.forward(text).squeeze(1),
      textMask: textMask && maskedScores(textMask).reshape([layout.batch, 1, 1, layout.textLength]),
    };
    let video = this.patchEmbed.forward(patchify(noisy));
    for (const block of this.blocks) video = block.forward(video, context);
    return unpatchify(this.finalLayer.forward(video, time.vector), layout);
  }

  get #rope(): Parameters<typeof rope3d>[1] {
    return { ropeAxes: wanRopeAxes(this.#config.headDim), ropeTheta: ROPE_THETA };
  }
}

/** Frames, rows and columns counted from 0. */
function gridPositions({ frames, rows, columns }: Layout): Position[] {
  const positions: Position[] = [];
  for (let t = 0; t < frames; t++)
    for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) positions.push([t, y, x]);
  return positions;
}
