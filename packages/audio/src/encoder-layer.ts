import { attention, softmax } from "@omni/core";
import type { Rng, Tensor } from "@omni/core";
import { LayerNorm, Linear, Module } from "@omni/core/nn";
import type { AudioConfig } from "./config.ts";

class SelfAttention extends Module {
  readonly k_proj: Linear;
  readonly v_proj: Linear;
  readonly q_proj: Linear;
  readonly out_proj: Linear;
  readonly #heads: number;

  constructor({ hiddenSize, heads }: AudioConfig, rng: Rng) {
    super();
    this.k_proj = new Linear(hiddenSize, hiddenSize, { rng: rng.fork("k") });
    this.v_proj = new Linear(hiddenSize, hiddenSize, { rng: rng.fork("v") });
    this.q_proj = new Linear(hiddenSize, hiddenSize, { rng: rng.fork("q") });
    this.out_proj = new Linear(hiddenSize, hiddenSize, { rng: rng.fork("out") });
    this.#heads = heads;
  }

  /** [B, steps, hidden] → [B, heads, steps, headDim] */
  #split(y: Tensor): Tensor {
    const [batch = 0, steps = 0, width = 0] = y.shape;
    return y.reshape([batch, steps, this.#heads, width / this.#heads]).permute([0, 2, 1, 3]);
  }

  /** @param mask additive, broadcastable to [B, heads, steps, steps], or null */
  forward(x: Tensor, mask: Tensor | null): Tensor {
    const q = this.#split(this.q_proj.forward(x));
    const k = this.#split(this.k_proj.forward(x));
    const v = this.#split(this.v_proj.forward(x));
    const heads = attention(q, k, v, mask ? { mask } : {});
    return this.out_proj.forward(heads.permute([0, 2, 1, 3]).reshape(x.shape));
  }

  /** softmax(q kᵀ / √headDim + mask), which `forward` never holds: [B, heads, steps, steps]. */
  weights(x: Tensor, mask: Tensor | null): Tensor {
    const [q, k] = [this.#split(this.q_proj.forward(x)), this.#split(this.k_proj.forward(x))];
    const scores = q.matmul(k.transpose(-2, -1)).mul(1 / Math.sqrt(q.shape.at(-1) ?? 1));
    return softmax(mask ? scores.add(mask) : scores);
  }
}

class FeedForward extends Module {
  readonly intermediate_dense: Linear;
  readonly output_dense: Linear;

  constructor({ hiddenSize, ffnDim }: AudioConfig, rng: Rng) {
    super();
    this.intermediate_dense = new Linear(hiddenSize, ffnDim, { rng: rng.fork("intermediate") });
    this.output_dense = new Linear(ffnDim, hiddenSize, { rng: rng.fork("output") });
  }

  forward(x: Tensor): Tensor {
    return this.output_dense.forward(this.intermediate_dense.forward(x).geluExact());
  }
}

/** One transformer layer, norms after (base) or before (large) its two sublayers. */
export class EncoderLayer extends Module {
  readonly attention: SelfAttention;
  readonly layer_norm: LayerNorm;
  readonly feed_forward: FeedForward;
  readonly final_layer_norm: LayerNorm;
  readonly #preNorm: boolean;

  constructor(config: AudioConfig, rng: Rng) {
    super();
    const { hiddenSize, layerNormEps: eps, preNorm } = config;
    this.attention = new SelfAttention(config, rng.fork("attention"));
    this.layer_norm = new LayerNorm(hiddenSize, { eps });
    this.feed_forward = new FeedForward(config, rng.fork("feedForward"));
    this.final_layer_norm = new LayerNorm(hiddenSize, { eps });
    this.#preNorm = preNorm;
  }

  /** [B, steps, hidden] → the same shape */
  forward(x: Tensor, mask: Tensor | null): Tensor {
    if (this.#preNorm) {
      const y = x.add(this.attention.forward(this.layer_norm.forward(x), mask));
      return y.add(this.feed_forward.forward(this.final_layer_norm.forward(y)));
    }
    const y = this.layer_norm.forward(x.add(this.attention.forward(x, mask)));
    return this.final_layer_norm.forward(y.add(this.feed_forward.forward(y)));
  }
  /** What the layer attends to, [B, heads, steps, steps]; arguments as of `forward`. */
  attentionWeights(x: Tensor, mask: Tensor | null): Tensor {
    return this.attention.weights(this.#preNorm ? this.layer_norm.forward(x) : x, mask);
  }
}
