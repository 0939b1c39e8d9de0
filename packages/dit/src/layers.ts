import { ones } from "@omni/core";
import type { Rng, Tensor } from "@omni/core";
import { Linear, MLP, Module } from "@omni/core/nn";
import type { BlockConfig } from "./block-config.ts";
import { modulatedNorm } from "./modulation.ts";
import type { Modulation } from "./modulation.ts";

/** A per-channel scale for queries and keys, [2 (q, k), channels], from 1. */
export const qkScale = (channels: number): Tensor => ones([2, channels]);

/**
 * SwiGLU feed-forward: W_out (silu(W_gate x) ⊙ W_up x), gate and up as one matrix.
 *
 * @see Shazeer 2020, "GLU Variants Improve Transformer"
 */
export class SwiGlu extends Module {
  readonly gateUp: Linear;
  readonly out: Linear;
  readonly #hidden: number;

  constructor({ width, ffnDim, bias }: BlockConfig, rng: Rng) {
    super();
    this.gateUp = new Linear(width, 2 * ffnDim, { bias, rng: rng.fork("gateUp") });
    this.out = new Linear(ffnDim, width, { bias, rng: rng.fork("out") });
    this.#hidden = ffnDim;
  }

  forward(x: Tensor): Tensor {
    const both = this.gateUp.forward(x);
    const gate = both.slice(-1, 0, this.#hidden);
    const up = both.slice(-1, this.#hidden, 2 * this.#hidden);
    return this.out.forward(gate.silu().mul(up));
  }
}

function feedForward(config: BlockConfig, rng: Rng): SwiGlu | MLP {
  const { width, ffnDim, bias, ffn } = config;
  return ffn === "swiglu"
    ? new SwiGlu(config, rng)
    : new MLP(width, ffnDim, { activation: (x) => x.gelu(), bias, rng });
}

/** Weights that one modality brings to a block: its projections into and out of the joint attention, and its FFN. */
export class Stream extends Module {
  readonly qkv: Linear;
  /** [2 (q, k), headDim], or [2, D] where all heads are normed together; null without a norm. */
  readonly qkScale: Tensor | null;
  /** Null in the last block's text stream, whose output nobody reads. */
  readonly projection: Linear | null;
  readonly ffn: SwiGlu | MLP | null;
  readonly #config: BlockConfig;

  constructor(config: BlockConfig, { rng, inputOnly }: { readonly rng: Rng; readonly inputOnly: boolean }) {
    super();
    const { width, headDim, qkNorm, bias } = config;
    this.qkv = new Linear(width, 3 * width, { bias, rng: rng.fork("qkv") });
    this.qkScale = qkNorm === "none" ? null : qkScale(qkNorm === "head" ? headDim : width);
    this.projection = inputOnly ? null : new Linear(width, width, { bias, rng: rng.fork("projection") });
    this.ffn = inputOnly ? null : feedForward(config, rng.fork("ffn"));
    this.#config = config;
  }

  get config(): BlockConfig {
    return this.#config;
  }

  /** Residual half after the joint attention: x + gate · W_o attended. */
  attended(x: Tensor, heads: Tensor, { gate }: Modulation): Tensor {
    return this.projection ? x.add(this.projection.forward(heads).mul(gate)) : x;
  }

  /** Residual half of the FFN. */
  feedForward(x: Tensor, modulation: Modulation): Tensor {
    if (!this.ffn) return x;
    return x.add(this.ffn.forward(modulatedNorm(x, modulation, this.#config.norm)).mul(modulation.gate));
  }
}
