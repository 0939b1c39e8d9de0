import { Rng, ShapeError, tensor, zeros } from "@omni/core";
import type { Tensor } from "@omni/core";
import { loadNetwork } from "@omni/core/checkpoint";
import type { ByteInput, NetworkFormat, NetworkOptions } from "@omni/core/checkpoint";
import { Embedding, Module, RMSNorm } from "@omni/core/nn";
import { Block } from "./block.ts";
import { parseTextConfig } from "./config.ts";
import type { TextConfig } from "./config.ts";
import { publicLayouts } from "./public-layouts.ts";
import { bucketTable } from "./relative-position.ts";

// exp() of it is exactly 0 in f32, and adding scores to it stays finite
const MASKED = -1e9;

/** Additive bias that hides padding, [B, 1, 1, L]; null without a mask. */
export function paddingBias(mask: Tensor | null): Tensor | null {
  if (!mask) return null;
  const [batch = 0, length = 0] = mask.shape;
  return mask.sub(1).mul(-MASKED).reshape([batch, 1, 1, length]);
}

/** @throws ShapeError where ids are not a matrix or the mask differs */
export function checkTokens(op: string, ids: Tensor, mask: Tensor | null): void {
  if (ids.ndim !== 2) throw new ShapeError(`${op}: ids must have shape [batch, tokens], got [${ids.shape.join(", ")}]`);
  const [batch = 0, length = 0] = ids.shape;
  if (mask && (mask.ndim !== 2 || mask.shape[0] !== batch || mask.shape[1] !== length))
    throw new ShapeError(`${op}: mask must have shape [${batch}, ${length}], got [${mask.shape.join(", ")}]`);
}

/** What the encoder computes on its way. */
export interface TextTrace {
  /** The embeddings, every layer's output, and last the normed output: layers + 1 states, [B, L, width]. */
  readonly hidden: readonly Tensor[];
  /** What each layer attends to, [B, H, L, L]. */
  readonly attentions: readonly Tensor[];
  /** Each layer's own bias by relative position, [1, H, L, L]; null in layers that share the first one's. */
  readonly positionBiases: readonly (Tensor | null)[];
}

interface LayerRun {
  readonly block: Block;
  readonly input: Tensor;
  /** What is added to the scores: of the layer's own table or an earlier one's, and of padding. */
  readonly bias: Tensor;
  readonly own: Tensor | null;
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
  /** How its files are recognised. */
  static readonly format: NetworkFormat<TextConfig, T5Encoder> = {
    model: "omni-text",
    parse: parseTextConfig,
    build: (config) => new T5Encoder(config),
    layouts: publicLayouts,
  };
  readonly shared: Embedding;
  readonly encoder: Stack;
  readonly #config: TextConfig;

  constructor(config: TextConfig, { rng = new Rng(0) }: { readonly rng?: Rng } = {}) {
    super();
    this.#config = config;
    this.shared = new Embedding(config.vocabSize, config.width, { rng: rng.fork("shared") });
    this.encoder = new Stack(config, rng.fork("encoder"));
  }

  /**
   * Loads a file of ours, or a published T5 or UMT5 encoder in transformers' names or Wan's.
   *
   * @param source bytes, a Blob, a URL, a place on the hub, or in Node a path
   * @throws CheckpointError when the file holds another network, or names or shapes do not fit
   */
  static load(source: ByteInput, options: NetworkOptions<TextConfig> = {}): Promise<T5Encoder> {
    return loadNetwork(source, T5Encoder.format, options);
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

  /** All that upstream's encoder can return; only what is realised is computed. Arguments as of `forward`. */
  trace(ids: Tensor, mask: Tensor | null): TextTrace {
    const { layers, output } = this.#run(ids, mask);
    return {
      hidden: [...layers.map(({ input }) => input), output],
      attentions: layers.map(({ block, input, bias }) => block.attentionWeights(input, bias)),
      positionBiases: layers.map(({ own }) => own),
    };
  }

  #run(ids: Tensor, mask: Tensor | null): { readonly layers: readonly LayerRun[]; readonly output: Tensor } {
    checkTokens("T5Encoder", ids, mask);
    const [, length = 0] = ids.shape;
    const buckets = tensor(bucketTable(length, this.#config));
    const padding = paddingBias(mask);
    let bias = padding ?? zeros([1, 1, 1, length]);
    let x = this.shared.forward(ids);
    const layers: LayerRun[] = [];
    for (const block of this.encoder.block) {
      const own = block.positionBias(buckets, length);
      if (own) bias = padding ? own.add(padding) : own;
      layers.push({ block, input: x, bias, own });
      x = block.forward(x, bias);
    }
    return { layers, output: this.encoder.final_layer_norm.forward(x) };
  }
}
