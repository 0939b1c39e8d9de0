import { Rng, ShapeError, tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import { loadNetwork } from "@omni/core/checkpoint";
import type { ByteInput, NetworkFormat, NetworkOptions } from "@omni/core/checkpoint";
import { LayerNorm, Linear, Module } from "@omni/core/nn";
import type { ChannelStatistics } from "./channel-statistics.ts";
import { checkAudioConfig, parseAudioConfig } from "./config.ts";
import type { AudioConfig } from "./config.ts";
import { EncoderLayer } from "./encoder-layer.ts";
import { FeatureExtractor } from "./feature-extractor.ts";
import { PositionConvEmbedding } from "./position-conv.ts";
import { publicLayouts } from "./public-layouts.ts";
import { fieldSamples, stepCount } from "./waveform.ts";

// exp() of it is exactly 0 in f32, and adding scores to it stays finite
const MASKED = -1e9;
const CACHED_BANDS = 16;

class FeatureProjection extends Module {
  readonly layer_norm: LayerNorm;
  readonly projection: Linear;

  constructor({ convDim, hiddenSize, layerNormEps: eps }: AudioConfig, rng: Rng) {
    super();
    const channels = convDim.at(-1) ?? 1;
    this.layer_norm = new LayerNorm(channels, { eps });
    this.projection = new Linear(channels, hiddenSize, { rng });
  }
}

class Transformer extends Module {
  readonly pos_conv_embed: PositionConvEmbedding;
  readonly layer_norm: LayerNorm;
  readonly layers: readonly EncoderLayer[];
  readonly #preNorm: boolean;

  constructor(config: AudioConfig, rng: Rng) {
    super();
    this.pos_conv_embed = new PositionConvEmbedding(config, rng.fork("position"));
    this.layer_norm = new LayerNorm(config.hiddenSize, { eps: config.layerNormEps });
    this.layers = Array.from({ length: config.layers }, (_, i) => new EncoderLayer(config, rng.fork(i)));
    this.#preNorm = config.preNorm;
  }

  /** @returns the input of the first layer and the output of each, normed as upstream norms them */
  forward(x: Tensor, mask: Tensor | null): Tensor[] {
    const placed = x.add(this.pos_conv_embed.forward(x));
    const states = [this.#preNorm ? placed : this.layer_norm.forward(placed)];
    for (const layer of this.layers) states.push(layer.forward(states.at(-1) ?? placed, mask));
    if (this.#preNorm) states.push(this.layer_norm.forward(states.pop() ?? placed));
    return states;
  }
}

/** What the encoder makes of a waveform. */
export interface AudioStates {
  /** Convolutional features, [B, steps, convDim]. */
  readonly convolved: Tensor;
  /** Normalised convolutional features, [B, steps, convDim]. */
  readonly extracted: Tensor;
  /** layers + 1 states, [B, steps, hidden] each, first to last. */
  readonly hidden: readonly Tensor[];
}

/** How a {@link Wav2Vec2Encoder} is built. */
export interface EncoderOptions {
  readonly rng?: Rng;
  /** Hold the vector that stands for hidden steps, which checkpoints of upstream's training carry. Default false. */
  readonly specMask?: boolean;
}

/** Which steps of a waveform count, and what it is a part of. */
export interface EncodeOptions {
  /** [B, steps], 1 = sound, 0 = padding; see `stepMask`. Null: all is sound. */
  readonly sound?: Tensor | null;
  /** [B, steps], 1 = the step's features are hidden, as in training to fill gaps. Null: none is. */
  readonly hidden?: Tensor | null;
  /** Of the whole sound that the waveform is a part of, where the extractor norms over time; see `FeatureExtractor.measure`. */
  readonly statistics?: ChannelStatistics | null;
}

/**
 * wav2vec 2.0 encoder. Its state dict has the key names of the public checkpoints (`facebook/wav2vec2-base-960h` without the prefix
 * `wav2vec2.`), hence the snake_case fields.
 *
 * @see Baevski et al. 2020, "wav2vec 2.0"
 */
export class Wav2Vec2Encoder extends Module {
  /** How its files are recognised. */
  static readonly format: NetworkFormat<AudioConfig, Wav2Vec2Encoder> = {
    model: "omni-audio",
    parse: parseAudioConfig,
    build: (config) => new Wav2Vec2Encoder(config),
    layouts: publicLayouts,
  };
  readonly feature_extractor: FeatureExtractor;
  readonly feature_projection: FeatureProjection;
  readonly encoder: Transformer;
  /** Stands for hidden steps, [hidden]; null in an encoder that is not trained to fill gaps. */
  readonly masked_spec_embed: Tensor | null;
  readonly #config: AudioConfig;
  readonly #bands = new Map<number, Tensor>();

  /** @throws ConfigError when the config contradicts itself */
  constructor(config: AudioConfig, { rng = new Rng(0), specMask = false }: EncoderOptions = {}) {
    super();
    checkAudioConfig(config);
    this.#config = config;
    this.feature_extractor = new FeatureExtractor(config, rng.fork("extractor"));
    this.feature_projection = new FeatureProjection(config, rng.fork("projection"));
    this.encoder = new Transformer(config, rng.fork("encoder"));
    this.masked_spec_embed = specMask ? rng.fork("specMask").uniform([config.hiddenSize]) : null;
  }

  /**
   * Loads a file of ours, or a published wav2vec 2.0 encoder, without its heads.
   *
   * @param source bytes, a Blob, a URL, a place on the hub, or in Node a path
   * @throws CheckpointError when the file holds another network, or names or shapes do not fit
   */
  static load(source: ByteInput, options: NetworkOptions<AudioConfig> = {}): Promise<Wav2Vec2Encoder> {
    return loadNetwork(source, Wav2Vec2Encoder.format, options);
  }

  get config(): AudioConfig {
    return this.#config;
  }

  /**
   * @param waveform normalised 16 kHz samples, [B, samples]
   * @throws ShapeError where the waveform is shorter than the receptive field (400 samples upstream), or steps are to be hidden by an
   * encoder without `specMask`
   */
  forward(
    waveform: Tensor,
    { sound = null, hidden: hiddenSteps = null, statistics = null }: EncodeOptions = {},
  ): AudioStates {
    const [batch = 0, samples = 0] = waveform.shape;
    const steps = stepCount(this.#config, samples);
    if (steps === 0)
      throw new ShapeError(
        `Wav2Vec2Encoder: waveform must have at least ${fieldSamples(this.#config)} samples, got ${samples}: pad it with zeros`,
      );
    const convolved = this.feature_extractor.forward(waveform, statistics).transpose(1, 2);
    const extracted = this.feature_projection.layer_norm.forward(convolved);
    const projected = this.feature_projection.projection.forward(extracted);
    const gapped = hiddenSteps ? this.#hide(projected, hiddenSteps) : projected;
    const kept = sound ? gapped.mul(sound.unsqueeze(2)) : gapped;
    const hidden = this.encoder.forward(kept, this.#attentionMask(batch, steps, sound));
    return { convolved, extracted, hidden };
  }

  /**
   * What each layer attends to, [B, heads, steps, steps] each.
   *
   * @param hidden the states of `forward`
   * @param sound the mask that they were made with
   */
  attentionWeights(hidden: readonly Tensor[], sound: Tensor | null = null): readonly Tensor[] {
    const [batch = 0, steps = 0] = hidden[0]?.shape ?? [];
    const mask = this.#attentionMask(batch, steps, sound);
    return this.encoder.layers.flatMap((layer, i) => {
      const input = hidden[i];
      return input ? [layer.attentionWeights(input, mask)] : [];
    });
  }

  #hide(projected: Tensor, hiddenSteps: Tensor): Tensor {
    if (!this.masked_spec_embed)
      throw new ShapeError("Wav2Vec2Encoder: hidden steps need masked_spec_embed: build the encoder with specMask");
    const gone = hiddenSteps.unsqueeze(2);
    return projected.mul(gone.neg().add(1)).add(this.masked_spec_embed.mul(gone));
  }

  #attentionMask(batch: number, steps: number, stepMask: Tensor | null): Tensor | null {
    const padding = stepMask ? stepMask.sub(1).mul(-MASKED).reshape([batch, 1, 1, steps]) : null;
    const reach = this.#config.attentionReach;
    if (reach === null || steps <= reach + 1) return padding;
    const band = this.#bandOf(steps, reach);
    return padding ? band.add(padding) : band;
  }

  /** [1, 1, steps, steps]: 0 within the reach, masked beyond. */
  #bandOf(steps: number, reach: number): Tensor {
    const known = this.#bands.get(steps);
    if (known) return known;
    const [oldest] = this.#bands.keys();
    if (oldest !== undefined && this.#bands.size >= CACHED_BANDS) this.#bands.delete(oldest);
    const values = Float32Array.from({ length: steps * steps }, (_, i) =>
      Math.abs((i % steps) - Math.floor(i / steps)) <= reach ? 0 : MASKED,
    );
    const band = tensor(values, { shape: [1, 1, steps, steps] });
    this.#bands.set(steps, band);
    return band;
  }
}
