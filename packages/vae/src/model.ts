import { CheckpointError, indexSelect, Rng, ShapeError, tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import { loadNetwork } from "@omni/core/checkpoint";
import type { ByteInput, NetworkFormat, NetworkOptions } from "@omni/core/checkpoint";
import { Module, RMSNorm } from "@omni/core/nn";
import { compression, parseVaeConfig, vaePresets } from "./config.ts";
import type { VaeConfig } from "./config.ts";
import type { FeatureCache } from "./feature-cache.ts";
import { CausalConv3d, depthToSpace, makeLayer, spaceToDepth } from "./layers.ts";
import type { CausalLayer } from "./layers.ts";
import { decoderLayout, encoderLayout } from "./layout.ts";
import type { CoderLayout, LayerSpec } from "./layout.ts";
import { PatchShortcut } from "./patch-shortcut.ts";
import type { PatchCode } from "./patch-shortcut.ts";
import { publicLayouts } from "./public-layouts.ts";
import { DecodeStream, EncodeStream } from "./streaming.ts";
import { TiledStream } from "./tiling.ts";
import type { Tiling, TileScales, VideoStream } from "./tiling.ts";

/** Diagonal normal over latents, before normalisation by channel. */
export interface Posterior {
  /** [B, C, T, h, w] */
  readonly mean: Tensor;
  /** log σ², [B, C, T, h, w], within [-30, 20] */
  readonly logvar: Tensor;
}

/** Mean and standard deviation of each latent channel, [C]. */
export interface LatentStatistics {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** How a stream runs. */
export interface StreamOptions {
  /** Frames in overlapping tiles; null, the default, takes them whole. */
  readonly tiling?: Tiling | null;
}

/**
 * Causal 3D autoencoder of video in Wan2.1's manner: latent frame 0 is frame 0, latent frame n stands for four frames, and
 * nothing looks ahead. An image is a video of one frame.
 *
 * Pixels are in [-1, 1]. Latents are normalised by the config's per-channel statistics unless a name says `Raw`.
 */
export class CausalVae extends Module {
  /** How its files are recognised. */
  static readonly format: NetworkFormat<VaeConfig, CausalVae> = {
    model: "omni-vae",
    parse: parseVaeConfig,
    build: (config) => new CausalVae(config),
    layouts: publicLayouts,
  };
  readonly encoder: Coder;
  readonly quant: CausalConv3d | null;
  readonly postQuant: CausalConv3d | null;
  readonly decoder: Coder;
  readonly shortcut: PatchShortcut | null;
  #config: VaeConfig;

  constructor(config: VaeConfig = vaePresets.nano, rng: Rng = new Rng(0)) {
    super();
    const { zDim, normEps, quantConv, patchShortcut } = config;
    const { temporal: frames, spatial: size } = compression(config);
    // beside a shortcut the convolutions start silent
    const last = patchShortcut ? "zeros" : "default";
    this.#config = config;
    this.encoder = new Coder(encoderLayout(config), "layers first", { normEps, last, rng: rng.fork("encoder") });
    this.quant = quantConv ? new CausalConv3d(2 * zDim, 2 * zDim, [1, 1], { rng: rng.fork("quant") }) : null;
    this.postQuant = quantConv ? new CausalConv3d(zDim, zDim, [1, 1], { rng: rng.fork("postQuant") }) : null;
    this.decoder = new Coder(decoderLayout(config), "middle first", { normEps, last, rng: rng.fork("decoder") });
    this.shortcut = patchShortcut ? new PatchShortcut(zDim, { frames, size }, rng.fork("shortcut")) : null;
  }

  /**
   * Loads a model of ours, or Wan2.1's published autoencoder under its own names or diffusers'.
   *
   * @param source bytes, a Blob, a URL, a place on the hub, or in Node a path
   * @throws CheckpointError when the file holds another network, or names or shapes do not fit
   */
  static load(source: ByteInput, options: NetworkOptions<VaeConfig> = {}): Promise<CausalVae> {
    return loadNetwork(source, CausalVae.format, options);
  }

  /** Travels with the weights; holds the latent statistics. */
  get config(): VaeConfig {
    return this.#config;
  }

  /**
   * Stores the latent statistics measured after training.
   *
   * @throws CheckpointError unless both have one entry a latent channel and every deviation is above 0
   */
  setLatentStatistics({ mean, std }: LatentStatistics): void {
    const { zDim } = this.#config;
    if (mean.length !== zDim || std.length !== zDim || !std.every((s) => s > 0)) {
      throw new CheckpointError(
        `setLatentStatistics: must have ${zDim} means and ${zDim} deviations above 0, got ${mean.length} and [${std.join(", ")}]`,
      );
    }
    this.#config = { ...this.#config, latentMean: mean, latentStd: std };
  }

  /**
   * Gives the shortcut a code to start from.
   *
   * @throws ShapeError where the model has no shortcut
   */
  setPatchCode({ read, write, mean }: PatchCode): void {
    if (!this.shortcut) throw new ShapeError("setPatchCode: the config must have a patchShortcut");
    const { zDim } = this.#config;
    const block = mean.length;
    const offset = Float32Array.from(
      { length: zDim },
      (_, c) => -mean.reduce((sum, m, k) => sum + m * (read[c * block + k] ?? 0), 0),
    );
    this.shortcut.loadStateDict({
      readWeight: { shape: [zDim, block], data: read },
      readBias: { shape: [zDim], data: offset },
      writeWeight: { shape: [block, zDim], data: write },
      writeBias: { shape: [block], data: mean },
    });
  }

  /**
   * Normalised latents of a clip (the posterior's mean).
   *
   * @param video [B, 3, 1 + 4n, H, W], H and W multiples of the spatial compression (8)
   * @returns [B, C, 1 + n, H/8, W/8]
   * @throws ShapeError for other sizes
   */
  encode(video: Tensor): Tensor {
    return this.normalize(this.encodeMoments(video).mean);
  }

  /**
   * Clip of normalised latents, clamped to [-1, 1].
   *
   * @param latents [B, C, 1 + n, h, w]
   * @returns [B, 3, 1 + 4n, 8h, 8w]
   */
  decode(latents: Tensor): Tensor {
    this.#checkLatents(latents);
    return this.decodeRaw(this.denormalize(latents)).clamp(-1, 1);
  }

  /** What the encoder says of a clip: means and, not clamped, log variances of raw latents, [B, 2C, T, h, w]. */
  encoderMoments(video: Tensor, cache: FeatureCache | null = null): Tensor {
    this.#checkVideo(video, cache !== null && !cache.first);
    const features = this.encoder.forward(spaceToDepth(video, this.#config.spaceToDepth), cache);
    return this.quant?.forward(features) ?? features;
  }

  /** The posterior of a clip, in raw latents: what training needs. Shapes as `encode`. */
  encodeMoments(video: Tensor, cache: FeatureCache | null = null): Posterior {
    const moments = this.encoderMoments(video, cache);
    const { zDim } = this.#config;
    const learned = moments.slice(1, 0, zDim);
    const mean = this.shortcut ? learned.add(this.shortcut.encode(video, cache?.first ?? true)) : learned;
    return { mean, logvar: moments.slice(1, zDim).clamp(-30, 20) };
  }

  /** The clip of raw latents, not clamped. Shapes as `decode`. */
  decodeRaw(latents: Tensor, cache: FeatureCache | null = null): Tensor {
    this.#checkLatents(latents);
    const z = this.postQuant?.forward(latents) ?? latents;
    const video = depthToSpace(this.decoder.forward(z, cache), this.#config.spaceToDepth);
    return this.shortcut ? video.add(this.shortcut.decode(latents, cache?.first ?? true)) : video;
  }

  /**
   * Encodes a clip piece by piece, with the same result and memory that its length does not change. Tiles bound what the size of its
   * frames takes, and are not exact.
   */
  encodeStream({ tiling = null }: StreamOptions = {}): VideoStream {
    const { spatial } = compression(this.#config);
    return this.#stream(() => new EncodeStream(this), tiling, { from: spatial, to: 1 });
  }

  /** Decodes latents piece by piece; otherwise as {@link encodeStream}. */
  decodeStream({ tiling = null }: StreamOptions = {}): VideoStream {
    const { spatial } = compression(this.#config);
    return this.#stream(() => new DecodeStream(this), tiling, { from: 1, to: spatial });
  }

  /**
   * Decodes latents of any length in memory that does not grow with it: one latent frame after the other.
   *
   * @param latents normalised, [B, C, 1 + n, h, w]
   * @yields frames in order, [B, 3, 1 or 4, 8h, 8w] in [-1, 1], realised; the caller disposes them
   */
  async *decodeFrames(latents: Tensor, options: StreamOptions = {}): AsyncGenerator<Tensor> {
    this.#checkLatents(latents);
    const stream = this.decodeStream(options);
    try {
      // an index is a value and not a part of the plan: all frames but the first share one
      const frames = latents.shape[2] ?? 0;
      for (let t = 0; t < frames; t++)
        yield await stream.push(indexSelect(latents, 2, tensor(Int32Array.of(t))), t === frames - 1);
    } finally {
      stream.dispose();
    }
  }

  #stream(open: () => VideoStream, tiling: Tiling | null, scales: TileScales): VideoStream {
    return tiling ? new TiledStream(open, tiling, scales) : open();
  }

  /** Raw → normalised latents: (z - mean) / std by channel. */
  normalize(raw: Tensor): Tensor {
    return raw.sub(perChannel(this.#config.latentMean)).div(perChannel(this.#config.latentStd));
  }

  /** Normalised → raw latents: z · std + mean by channel. */
  denormalize(latents: Tensor): Tensor {
    return latents.mul(perChannel(this.#config.latentStd)).add(perChannel(this.#config.latentMean));
  }

  #checkLatents(latents: Tensor): void {
    if (latents.ndim !== 5 || latents.shape[1] !== this.#config.zDim) {
      throw new ShapeError(
        `vae: latents must be [B, ${this.#config.zDim}, T, h, w], got [${latents.shape.join(", ")}]`,
      );
    }
  }

  #checkVideo(video: Tensor, continued: boolean): void {
    const { temporal, spatial } = compression(this.#config);
    const [, channels, frames = 0, height = 0, width = 0] = video.shape;
    const whole = frames > 0 && (continued ? frames : frames - 1) % temporal === 0;
    if (video.ndim !== 5 || channels !== 3 || !whole || height % spatial !== 0 || width % spatial !== 0) {
      const wanted = continued ? `${temporal}n` : `1 + ${temporal}n`;
      throw new ShapeError(
        `vae: video must be [B, 3, ${wanted}, ${spatial}h, ${spatial}w], got [${video.shape.join(", ")}]; pad or crop it`,
      );
    }
  }
}

/** Encoder or decoder: a convolution, layers and middle in either order, norm, SiLU, a convolution. */
class Coder extends Module {
  readonly convIn: CausalConv3d;
  readonly layers: readonly CausalLayer[];
  readonly middle: readonly CausalLayer[];
  readonly norm: RMSNorm;
  readonly convOut: CausalConv3d;
  readonly order: "layers first" | "middle first";

  constructor(
    layout: CoderLayout,
    order: Coder["order"],
    { normEps, last, rng }: { normEps: number; last: "default" | "zeros"; rng: Rng },
  ) {
    super();
    const build = (specs: readonly LayerSpec[], name: string): CausalLayer[] =>
      specs.map((spec, i) => makeLayer(spec, { normEps, rng: rng.fork(`${name}.${i}`) }));
    const { convIn, convOut } = layout;
    this.convIn = new CausalConv3d(convIn.in, convIn.out, [convIn.kernel, convIn.kernel], { rng: rng.fork("convIn") });
    this.layers = build(layout.layers, "layers");
    this.middle = build(layout.middle, "middle");
    this.norm = new RMSNorm(convOut.in, { eps: normEps, axis: 1 });
    this.convOut = new CausalConv3d(convOut.in, convOut.out, [convOut.kernel, convOut.kernel], {
      rng: rng.fork("convOut"),
      init: last,
    });
    this.order = order;
  }

  forward(x: Tensor, cache: FeatureCache | null): Tensor {
    let h = this.convIn.forward(x, cache);
    const layers = this.order === "layers first" ? [...this.layers, ...this.middle] : [...this.middle, ...this.layers];
    for (const layer of layers) h = layer.forward(h, cache);
    return this.convOut.forward(this.norm.forward(h).silu(), cache);
  }
}

/** [C] → [1, C, 1, 1, 1] */
function perChannel(values: readonly number[]): Tensor {
  return tensor([...values]).reshape([1, values.length, 1, 1, 1]);
}
