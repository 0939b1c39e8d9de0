import { Wav2Vec2Encoder } from "@omni/audio";
import { realize, Rng } from "@omni/core";
import type { Tensor } from "@omni/core";
import type { NetworkOptions } from "@omni/core/checkpoint";
import { TextTokenizer } from "@omni/text";
import { CausalVae } from "@omni/vae";
import { checkHumanConfig, presets } from "./config.ts";
import type { HumanConfig } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import { Denoiser } from "./denoiser.ts";
import type { HumanWeights } from "./weights.ts";

/** What an {@link OmniHuman} is made of. */
export interface HumanParts {
  readonly vae: CausalVae;
  readonly audio: Wav2Vec2Encoder;
  readonly denoiser: Denoiser;
  /** Default: the one of the nano text encoder. */
  readonly tokenizer?: TextTokenizer;
}

/** How a model is loaded. */
export type HumanLoadOptions = Pick<NetworkOptions<unknown>, "int8">;

/** States of a caption: what the denoiser takes. */
export interface EncodedText {
  /** [1, L, text width] */
  readonly text: Tensor;
  /** [1, L], 1 = token */
  readonly textMask: Tensor;
  /** One line for what had to be cut. */
  readonly warnings: readonly string[];
}

/**
 * One picture + any of sound, pose and text → a video of that person: causal autoencoder, audio encoder, text encoder, pose guider and
 * denoiser, put together. `generate` runs it.
 *
 * @see OmniHuman-1, figure 2
 */
export class OmniHuman {
  readonly vae: CausalVae;
  readonly audio: Wav2Vec2Encoder;
  readonly denoiser: Denoiser;
  readonly tokenizer: TextTokenizer;
  readonly config: HumanConfig;

  /** @throws ConfigError where the parts do not fit together */
  constructor({ vae, audio, denoiser, tokenizer = TextTokenizer.nano() }: HumanParts) {
    this.config = { ...denoiser.config, vae: vae.config, audio: audio.config };
    checkHumanConfig(this.config);
    const { vocabSize } = denoiser.config.text;
    if (tokenizer.vocabSize > vocabSize)
      throw new ConfigError(
        `OmniHuman: text.vocabSize must hold the tokenizer's ${tokenizer.vocabSize} tokens, got ${vocabSize}`,
      );
    this.vae = vae;
    this.audio = audio;
    this.denoiser = denoiser;
    this.tokenizer = tokenizer;
  }

  /** An untrained model. */
  static create(config: HumanConfig = presets.nano, { rng = new Rng(0) }: { readonly rng?: Rng } = {}): OmniHuman {
    return new OmniHuman({
      vae: new CausalVae(config.vae, rng.fork("vae")),
      audio: new Wav2Vec2Encoder(config.audio, { rng: rng.fork("audio") }),
      denoiser: new Denoiser(config, { rng: rng.fork("denoiser") }),
    });
  }

  /**
   * Loads a model; the config comes with the files.
   *
   * ```ts
   * const model = await OmniHuman.load(nanoWeights());
   * ```
   *
   * @throws CheckpointError or ConfigError when a file is missing, damaged or of another model
   */
  static async load({ vae, audio, dit }: HumanWeights, { int8 = "widen" }: HumanLoadOptions = {}): Promise<OmniHuman> {
    const model = new OmniHuman({
      vae: await CausalVae.load(vae, { int8 }),
      audio: await Wav2Vec2Encoder.load(audio, { int8 }),
      denoiser: await Denoiser.load(dit, { int8 }),
    });
    return model.realize();
  }

  /** Puts every parameter on the device. */
  async realize(): Promise<this> {
    await realize(this.#parameters());
    return this;
  }

  /** Gives every parameter's memory back. */
  dispose(): void {
    for (const parameter of this.#parameters()) parameter.dispose();
  }

  /** Parameters of all parts. */
  numParameters(): number {
    return this.#parameters().reduce((total, { size }) => total + size, 0);
  }

  /** The text encoder's states of a caption. */
  encodeText(caption: string): EncodedText {
    const { maxTokens } = this.config.text;
    const { ids, mask, warnings } = this.tokenizer.batch([caption], { maxTokens });
    return { text: this.denoiser.text.forward(ids, mask), textMask: mask, warnings };
  }

  /** Parameters of all parts with their paths, such as `vae.decoder.convIn.weight`. */
  *namedParameters(): Generator<readonly [string, Tensor]> {
    const { vae, audio, denoiser } = this;
    for (const [name, part] of Object.entries({ vae, audio, denoiser }))
      for (const [path, parameter] of part.namedParameters()) yield [`${name}.${path}`, parameter];
  }

  #parameters(): Tensor[] {
    return [...this.namedParameters()].map(([, parameter]) => parameter);
  }
}
