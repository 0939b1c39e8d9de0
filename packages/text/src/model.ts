import { embedding, Rng, ShapeError, softmax, tensor, zeros } from "@omni/core";
import type { Tensor } from "@omni/core";
import { Embedding, Linear, Module, RMSNorm } from "@omni/core/nn";
import type { TextConfig } from "./config.ts";
import { bucketTable } from "./relative-position.ts";

// exp() of it is exactly 0 in f32, and adding scores to it stays finite
const MASKED = -1e9;

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

  /** @param bias additive, broadcastable to [B, H, L, L] */
  forward(x: Tensor, bias: Tensor): Tensor {
    const { heads, headDim } = this.#config;
    const [batch = 0, length = 0] = x.shape;
    const split = (y: Tensor): Tensor => y.reshape([batch, length, heads, headDim]).permute([0, 2, 1, 3]);
    const [q, k, v] = [split(this.q.forward(x)), split(this.k.forward(x)), split(this.v.forward(x))];
    // T5 folds 1/√d into its initialisation; written out because the bias is trained and texts are short
    const weights = softmax(q.matmul(k.transpose(-2, -1)).add(bias));
    return this.o.forward(
      weights
        .matmul(v)
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

class Block extends Module {
  readonly layer: readonly [AttentionLayer, FeedForwardLayer];

  constructor(config: TextConfig, { index, rng }: { readonly index: number; readonly rng: Rng }) {
    super();
    this.layer = [
      new AttentionLayer(config, { index, rng: rng.fork("attention") }),
      new FeedForwardLayer(config, rng.fork("ffn")),
    ];
  }
}

class Stack extends Module {
  readonly block: readonly Block[];
  readonly final_layer_norm: RMSNorm;

  constructor(config: TextConfig, rng: Rng) {
    super();
    this.block = Array.from(
      { length: config.layers },
      (_, index) => new Block(config, { index, rng: rng.fork(index) }),
    );
    this.final_layer_norm = new RMSNorm(config.width, { eps: config.normEps });
  }
}

/**
 * T5 or UMT5 encoder. Its state dict has the key names of the public checkpoints in transformers' naming, hence the field names.
 *
 * @see Raffel et al. 2020; Chung et al. 2023, "UniMax" (UMT5)
 */
export class T5Encoder extends Module {
  readonly shared: Embedding;
  readonly encoder: Stack;
  readonly #config: TextConfig;

  constructor(config: TextConfig, { rng = new Rng(0) }: { readonly rng?: Rng } = {}) {
    super();
    this.#config = config;
    this.shared = new Embedding(config.vocabSize, config.width, { rng: rng.fork("shared") });
    this.encoder = new Stack(config, rng.fork("encoder"));
  }

  get config(): TextConfig {
    return this.#config;
  }

  /**
   * @param ids token ids, i32 [B, L]
   * @param mask [B, L], 1 = token, 0 = padding; null = no padding
   * @returns states, [B, L, width]
   * @throws ShapeError where ids are not a matrix or the mask differs
   */
  forward(ids: Tensor, mask: Tensor | null): Tensor {
    return this.#run(ids, mask).output;
  }

  /** The embeddings, every layer's output, and last the normed output. */
  hiddenStates(ids: Tensor, mask: Tensor | null): readonly Tensor[] {
    const { states, output } = this.#run(ids, mask);
    return [...states.slice(0, -1), output];
  }

  #run(ids: Tensor, mask: Tensor | null): { readonly states: readonly Tensor[]; readonly output: Tensor } {
    if (ids.ndim !== 2)
      throw new ShapeError(`T5Encoder: ids must have shape [batch, tokens], got [${ids.shape.join(", ")}]`);
    const [batch = 0, length = 0] = ids.shape;
    if (mask && (mask.ndim !== 2 || mask.shape[0] !== batch || mask.shape[1] !== length))
      throw new ShapeError(`T5Encoder: mask must have shape [${batch}, ${length}], got [${mask.shape.join(", ")}]`);
    const buckets = tensor(bucketTable(length, this.#config));
    const padding = mask ? mask.sub(1).mul(-MASKED).reshape([batch, 1, 1, length]) : null;
    let bias = padding ?? zeros([1, 1, 1, length]);
    let x = this.shared.forward(ids);
    const states = [x];
    for (const { layer } of this.encoder.block) {
      const own = layer[0].SelfAttention.positionBias(buckets, length);
      if (own) bias = padding ? own.add(padding) : own;
      x = layer[1].forward(layer[0].forward(x, bias));
      states.push(x);
    }
    return { states, output: this.encoder.final_layer_norm.forward(x) };
  }
}
