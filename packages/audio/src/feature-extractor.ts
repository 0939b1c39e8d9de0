import { concat, groupNorm, linear, ones, tensor, zeros } from "@omni/core";
import type { Rng, Tensor } from "@omni/core";
import { Conv1d, LayerNorm, Module } from "@omni/core/nn";
import { channelStatistics } from "./channel-statistics.ts";
import type { ChannelStatistics } from "./channel-statistics.ts";
import type { AudioConfig } from "./config.ts";

const EPS = 1e-5;

/** GroupNorm with one group a channel: every channel is normalised over time. */
class ChannelNorm extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly #channels: number;

  constructor(channels: number) {
    super();
    this.weight = ones([channels]);
    this.bias = zeros([channels]);
    this.#channels = channels;
  }

  /** @param statistics of the whole sound that x is a part of; null measures x itself */
  forward(x: Tensor, statistics: ChannelStatistics | null): Tensor {
    if (!statistics) return groupNorm(x, this.#channels, this.weight, this.bias, { eps: EPS });
    const perChannel = (values: Tensor): Tensor => values.reshape([1, this.#channels, 1]);
    const scale = tensor(statistics.variance).add(EPS).rsqrt().mul(this.weight);
    return x
      .sub(perChannel(tensor(statistics.mean)))
      .mul(perChannel(scale))
      .add(perChannel(this.bias));
  }
}

/**
 * Convolution of one channel as a product of its windows with the weight: there are no input channels for a convolution kernel to run over.
 *
 * @param x [B, 1, L]
 * @param stride divides the kernel's width
 */
function convolveWindows(x: Tensor, { weight, bias }: Conv1d, stride: number): Tensor {
  const [batch = 0, , length = 0] = x.shape;
  const [channels = 0, , kernel = 0] = weight.shape;
  const steps = Math.floor((length - kernel) / stride) + 1;
  const strides = kernel / stride;
  const rows = x.reshape([batch, length]).slice(1, 0, (steps - 1 + strides) * stride);
  const pieces = rows.reshape([batch, steps - 1 + strides, stride]);
  const windows = Array.from({ length: strides }, (_, i) => pieces.slice(1, i, i + steps));
  return linear(concat(windows, { axis: 2 }), weight.reshape([channels, kernel]), bias).transpose(1, 2);
}

class ConvLayer extends Module {
  readonly conv: Conv1d;
  readonly layer_norm: ChannelNorm | LayerNorm | null;
  readonly #stride: number;

  constructor(config: AudioConfig, { index, rng }: { readonly index: number; readonly rng: Rng }) {
    super();
    const { convDim, convKernel, convStride, convBias, extractorNorm } = config;
    const channels = convDim[index] ?? 1;
    this.#stride = convStride[index] ?? 1;
    this.conv = new Conv1d(index === 0 ? 1 : (convDim[index - 1] ?? 1), channels, convKernel[index] ?? 1, {
      stride: this.#stride,
      bias: convBias,
      rng,
    });
    const group = index === 0 ? new ChannelNorm(channels) : null;
    this.layer_norm = extractorNorm === "layer" ? new LayerNorm(channels) : group;
  }

  forward(x: Tensor, statistics: ChannelStatistics | null): Tensor {
    const [, , kernel = 1] = this.conv.weight.shape;
    const inWindows = x.shape[1] === 1 && kernel % this.#stride === 0;
    const y = inWindows ? convolveWindows(x, this.conv, this.#stride) : this.conv.forward(x);
    if (this.layer_norm instanceof LayerNorm)
      return this.layer_norm.forward(y.transpose(1, 2)).transpose(1, 2).geluExact();
    return (this.layer_norm ? this.layer_norm.forward(y, statistics) : y).geluExact();
  }

  /** What a norm over time would measure of a whole sound; null where there is none. */
  async measure(waveform: Float32Array): Promise<ChannelStatistics | null> {
    if (!(this.layer_norm instanceof ChannelNorm)) return null;
    const { weight, bias } = this.conv;
    const [, , kernel = 1] = weight.shape;
    const values = { weight: await weight.data(), bias: bias && (await bias.data()) };
    return channelStatistics(waveform, { ...values, kernel, stride: this.#stride });
  }
}

/** Strided convolutions from the waveform to 50 Hz features. */
export class FeatureExtractor extends Module {
  readonly conv_layers: readonly ConvLayer[];

  constructor(config: AudioConfig, rng: Rng) {
    super();
    this.conv_layers = config.convDim.map((_, index) => new ConvLayer(config, { index, rng: rng.fork(index) }));
  }

  /**
   * [B, samples] → [B, convDim, steps]
   *
   * @param statistics of the whole sound, where the waveform is a part of it
   */
  forward(waveform: Tensor, statistics: ChannelStatistics | null = null): Tensor {
    return this.conv_layers.reduce((x, layer) => layer.forward(x, statistics), waveform.unsqueeze(1));
  }

  /**
   * What the norm over time measures of a whole sound, so that its parts can be encoded one by one; null where no norm runs over time.
   *
   * @param waveform normalised 16 kHz samples
   */
  async measure(waveform: Float32Array): Promise<ChannelStatistics | null> {
    return (await this.conv_layers[0]?.measure(waveform)) ?? null;
  }
}
