import { conv1d, ones, zeros } from "@omni/core";
import type { Rng, Tensor } from "@omni/core";
import { Module } from "@omni/core/nn";
import type { AudioConfig } from "./config.ts";

/** Grouped convolution whose weight is g · v / ‖v‖, the norm taken per kernel tap. */
class WeightNormConv extends Module {
  readonly bias: Tensor;
  /** [1, 1, K] */
  readonly weight_g: Tensor;
  /** [hidden, hidden / groups, K] */
  readonly weight_v: Tensor;
  readonly #groups: number;

  constructor({ hiddenSize, positionKernel, positionGroups }: AudioConfig, rng: Rng) {
    super();
    this.bias = zeros([hiddenSize]);
    const perGroup = hiddenSize / positionGroups;
    const std = 2 / Math.sqrt(positionKernel * hiddenSize);
    // v starts as N(0, std²), so its norm over a tap, hidden · perGroup values, is close to std · √(hidden · perGroup)
    this.weight_g = ones([1, 1, positionKernel]).mul(std * Math.sqrt(hiddenSize * perGroup));
    this.weight_v = rng.normal([hiddenSize, perGroup, positionKernel]).mul(std);
    this.#groups = positionGroups;
  }

  forward(x: Tensor): Tensor {
    const norm = this.weight_v
      .square()
      .sum({ axis: [0, 1], keepdim: true })
      .sqrt();
    const weight = this.weight_v.mul(this.weight_g.div(norm));
    const padding = Math.floor((this.weight_v.shape[2] ?? 1) / 2);
    return conv1d(x, weight, this.bias, { padding, groups: this.#groups });
  }
}

/** Relative positions from a wide convolution over the features. */
export class PositionConvEmbedding extends Module {
  readonly conv: WeightNormConv;

  constructor(config: AudioConfig, rng: Rng) {
    super();
    this.conv = new WeightNormConv(config, rng);
  }

  /** [B, steps, hidden] → the same shape */
  forward(x: Tensor): Tensor {
    const steps = x.shape[1] ?? 0;
    // an even kernel makes one step too many
    return this.conv.forward(x.transpose(1, 2)).slice(2, 0, steps).geluExact().transpose(1, 2);
  }
}
