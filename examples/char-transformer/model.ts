import { attention, Rng, type Tensor } from "@omni/core";
import { Embedding, Linear, MLP, Module, ModuleList, RMSNorm } from "@omni/core/nn";

export interface CharConfig {
  readonly vocabulary: number;
  readonly context: number;
  readonly dim: number;
  readonly heads: number;
  readonly depth: number;
}

class Block extends Module {
  readonly norm1: RMSNorm;
  readonly qkv: Linear;
  readonly out: Linear;
  readonly norm2: RMSNorm;
  readonly mlp: MLP;
  readonly #heads: number;

  constructor({ dim, heads }: CharConfig, rng: Rng) {
    super();
    this.norm1 = new RMSNorm(dim);
    this.qkv = new Linear(dim, 3 * dim, { rng });
    this.out = new Linear(dim, dim, { rng });
    this.norm2 = new RMSNorm(dim);
    this.mlp = new MLP(dim, 4 * dim, { rng });
    this.#heads = heads;
  }

  forward(x: Tensor): Tensor {
    const [batch = 0, length = 0, dim = 0] = x.shape;
    const heads = (t: Tensor): Tensor =>
      t.reshape([batch, length, this.#heads, dim / this.#heads]).permute([0, 2, 1, 3]);
    const [q, k, v] = this.qkv.forward(this.norm1.forward(x)).chunk(3, -1).map(heads) as [Tensor, Tensor, Tensor]; // three pieces
    const y = attention(q, k, v, { causal: true });
    const h = x.add(this.out.forward(y.permute([0, 2, 1, 3]).reshape(x.shape)));
    return h.add(this.mlp.forward(this.norm2.forward(h)));
  }
}

/** A decoder of characters: embedding, causal blocks, and a score for each character that may come next. */
export class CharTransformer extends Module {
  /** Characters that the model reads at a time. */
  readonly context: number;
  readonly characters: Embedding;
  readonly positions: Embedding;
  readonly blocks: ModuleList<Block>;
  readonly norm: RMSNorm;
  readonly head: Linear;

  constructor(config: CharConfig, seed: number) {
    super();
    const rng = new Rng(seed);
    this.context = config.context;
    this.characters = new Embedding(config.vocabulary, config.dim, { rng });
    this.positions = new Embedding(config.context, config.dim, { rng });
    this.blocks = new ModuleList(Array.from({ length: config.depth }, () => new Block(config, rng)));
    this.norm = new RMSNorm(config.dim);
    this.head = new Linear(config.dim, config.vocabulary, { rng });
  }

  /**
   * @param ids i32 [B, N]
   * @returns scores of the next character, [B, N, vocabulary]
   */
  forward(ids: Tensor): Tensor {
    const x = this.characters.forward(ids).add(this.positions.weight.slice(0, 0, ids.shape[1]));
    const h = [...this.blocks].reduce((t, block) => block.forward(t), x);
    return this.head.forward(this.norm.forward(h));
  }
}
