import { embedding, softmax } from "@omni/core";
import type { Rng, Tensor } from "@omni/core";
import { Embedding, Linear, Module, RMSNorm } from "@omni/core/nn";
import type { TextConfig } from "./config.ts";

class SelfAttention extends Module {
  readonly q: Linear;
  readonly k: Linear;
  readonly v: Linear;
  readonly o: Linear;
  /** Null in the layers of a T5 that share the first one's. */
  readonly relative_attention_bias: Embedding | null;
  readonly #config: TextConfig;

  constructor(config: TextConfig, { index, rng }: { readonly index: number; readonly rng: Rng }) {
    super();
    const { width, heads, headDim, buckets, relativePositions } = config;
    const inner = heads * headDim;
    const projection = (name: string): Linear => new Linear(width, inner, { bias: false, rng: rng.fork(name) });
    this.q = projection("q");
    this.k = projection("k");
    this.v = projection("v");
    this.o = new Linear(inner, width, { bias: false, rng: rng.fork("o") });
    const ownTable = index === 0 || relativePositions === "per-layer";
    this.relative_attention_bias = ownTable ? new Embedding(buckets, heads, { rng: rng.fork("positions") }) : null;
    this.#config = config;
  }

  /** Bias of each head for each (query, key), [1, H, L, L]; null where the layer has no table. */
  positionBias(buckets: Tensor, length: number): Tensor | null {
    const table = this.relative_attention_bias;
    if (!table) return null;
    const { heads } = this.#config;
    return embedding(table.weight, buckets).reshape([length, length, heads]).permute([2, 0, 1]).unsqueeze(0);
  }

  #heads(y: Tensor): Tensor {
    const { heads, headDim } = this.#config;
    const [batch = 0, length = 0] = y.shape;
    return y.reshape([batch, length, heads, headDim]).permute([0, 2, 1, 3]);
  }

  /**
   * How much each query attends to each key, [B, H, L, L].
   *
   * @param bias additive, broadcastable to the result
   */
  weights(x: Tensor, bias: Tensor): Tensor {
    const [q, k] = [this.#heads(this.q.forward(x)), this.#heads(this.k.forward(x))];
    // T5 folds 1/√d into its initialisation; written out because the bias is trained and texts are short
    return softmax(q.matmul(k.transpose(-2, -1)).add(bias));
  }

  /** @param bias additive, broadcastable to [B, H, L, L] */
  forward(x: Tensor, bias: Tensor): Tensor {
    const { heads, headDim } = this.#config;
    const [batch = 0, length = 0] = x.shape;
    return this.o.forward(
      this.weights(x, bias)
        .matmul(this.#heads(this.v.forward(x)))
        .permute([0, 2, 1, 3])
        .reshape([batch, length, heads * headDim]),
    );
  }
}

class GatedFeedForward extends Module {
  readonly wi_0: Linear;
  readonly wi_1: Linear;
  readonly wo: Linear;

  constructor({ width, ffnDim }: TextConfig, rng: Rng) {
    super();
    this.wi_0 = new Linear(width, ffnDim, { bias: false, rng: rng.fork("wi_0") });
    this.wi_1 = new Linear(width, ffnDim, { bias: false, rng: rng.fork("wi_1") });
    this.wo = new Linear(ffnDim, width, { bias: false, rng: rng.fork("wo") });
  }

  forward(x: Tensor): Tensor {
    return this.wo.forward(this.wi_0.forward(x).gelu().mul(this.wi_1.forward(x)));
  }
}

class ReluFeedForward extends Module {
  readonly wi: Linear;
  readonly wo: Linear;

  constructor({ width, ffnDim }: TextConfig, rng: Rng) {
    super();
    this.wi = new Linear(width, ffnDim, { bias: false, rng: rng.fork("wi") });
    this.wo = new Linear(ffnDim, width, { bias: false, rng: rng.fork("wo") });
  }

  forward(x: Tensor): Tensor {
    return this.wo.forward(this.wi.forward(x).relu());
  }
}

class AttentionLayer extends Module {
  readonly SelfAttention: SelfAttention;
  readonly layer_norm: RMSNorm;

  constructor(config: TextConfig, { index, rng }: { readonly index: number; readonly rng: Rng }) {
    super();
    this.SelfAttention = new SelfAttention(config, { index, rng });
    this.layer_norm = new RMSNorm(config.width, { eps: config.normEps });
  }

  forward(x: Tensor, bias: Tensor): Tensor {
    return x.add(this.SelfAttention.forward(this.layer_norm.forward(x), bias));
  }

  /** What the layer attends to, [B, H, L, L]. */
  weights(x: Tensor, bias: Tensor): Tensor {
    return this.SelfAttention.weights(this.layer_norm.forward(x), bias);
  }
}

class FeedForwardLayer extends Module {
  readonly DenseReluDense: GatedFeedForward | ReluFeedForward;
  readonly layer_norm: RMSNorm;

  constructor(config: TextConfig, rng: Rng) {
    super();
    this.DenseReluDense =
      config.feedForward === "gated-gelu" ? new GatedFeedForward(config, rng) : new ReluFeedForward(config, rng);
    this.layer_norm = new RMSNorm(config.width, { eps: config.normEps });
  }

  forward(x: Tensor): Tensor {
    return x.add(this.DenseReluDense.forward(this.layer_norm.forward(x)));
  }
}

/** One layer of the encoder: attention, then the feed-forward network, each normed before and added. Upstream's `T5Block`. */
export class Block extends Module {
  readonly layer: readonly [AttentionLayer, FeedForwardLayer];

  constructor(config: TextConfig, { index, rng }: { readonly index: number; readonly rng: Rng }) {
    super();
    this.layer = [
      new AttentionLayer(config, { index, rng: rng.fork("attention") }),
      new FeedForwardLayer(config, rng.fork("ffn")),
    ];
  }
  /**
   * @param x [B, L, width]
   * @param bias additive, broadcastable to [B, H, L, L]
   */
  forward(x: Tensor, bias: Tensor): Tensor {
    const [attention, feedForward] = this.layer;
    return feedForward.forward(attention.forward(x, bias));
  }

  /** What the layer attends to, [B, H, L, L]. */
  attentionWeights(x: Tensor, bias: Tensor): Tensor {
    return this.layer[0].weights(x, bias);
  }

  /** Bias of each head for each (query, key), [1, H, L, L]; null where the layer has no table of its own. */
  positionBias(buckets: Tensor, length: number): Tensor | null {
    return this.layer[0].SelfAttention.positionBias(buckets, length);
  }
}
