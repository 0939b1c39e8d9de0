import { ShapeError } from "../base/errors.ts";
import { formatShape } from "../base/shape.ts";
import { attention } from "../ops/attention.ts";
import { linear } from "../ops/linear.ts";
import { Rng } from "../tensor/random.ts";
import { zeros } from "../tensor/create.ts";
import { type Tensor, where } from "../tensor/tensor.ts";
import { kaimingUniform, xavierUniform } from "./init.ts";
import { Linear } from "./layers.ts";
import { Module } from "./module.ts";

/** Widths and first values of `MultiHeadAttention`. */
export interface MultiHeadAttentionOptions {
  /** Add biases to the projections (true by default). */
  readonly bias?: boolean;
  /** Width of the keys; that of the queries by default. */
  readonly keyDim?: number;
  /** Width of the values; that of the queries by default. */
  readonly valueDim?: number;
  /** Draws the first values; a generator of seed 0 by default. */
  readonly rng?: Rng;
}

/** What may attend to what in one call. */
export interface AttendOptions {
  /** True where a query may attend, or numbers added to the scores; broadcasts to [B, H, Nq, Nk]. */
  readonly mask?: Tensor;
  /** True for keys that are there, [B, Nk] (PyTorch's `key_padding_mask` is true for those that are not). */
  readonly keys?: Tensor;
  /** Query i attends to keys 0 … i only. */
  readonly causal?: boolean;
}

/**
 * Attention of several heads with projections before and after it, under the names of PyTorch's MultiheadAttention: `in_proj_weight` [3E, E]
 * or, where keys or values have a width of their own, `q_proj_weight`, `k_proj_weight` and `v_proj_weight`; `in_proj_bias`, `out_proj`.
 *
 * @see Vaswani et al. 2017, section 3.2.2
 */
export class MultiHeadAttention extends Module {
  // snake case: field names are the checkpoint's
  /** [3E, E], of queries, keys and values; null where keys or values have a width of their own. */
  readonly in_proj_weight: Tensor | null;
  /** [E, E], or null beside `in_proj_weight`. */
  readonly q_proj_weight: Tensor | null;
  /** [E, keyDim], or null beside `in_proj_weight`. */
  readonly k_proj_weight: Tensor | null;
  /** [E, valueDim], or null beside `in_proj_weight`. */
  readonly v_proj_weight: Tensor | null;
  /** [3E], null without biases. */
  readonly in_proj_bias: Tensor | null;
  /** From the joined heads to the result, [E, E]. */
  readonly out_proj: Linear;
  readonly #heads: number;

  /** @throws ShapeError when the heads do not divide the width */
  constructor(dim: number, heads: number, options: MultiHeadAttentionOptions = {}) {
    super();
    const { bias = true, keyDim = dim, valueDim = dim, rng = new Rng(0) } = options;
    if (dim % heads !== 0)
      throw new ShapeError(`MultiHeadAttention: heads must divide the width, got ${heads} heads and width ${dim}`);
    const draw = xavierUniform();
    const together = keyDim === dim && valueDim === dim;
    this.in_proj_weight = together ? draw([3 * dim, dim], rng) : null;
    this.q_proj_weight = together ? null : draw([dim, dim], rng);
    this.k_proj_weight = together ? null : draw([dim, keyDim], rng);
    this.v_proj_weight = together ? null : draw([dim, valueDim], rng);
    this.in_proj_bias = bias ? zeros([3 * dim]) : null;
    this.out_proj = new Linear(dim, dim, { bias, rng, init: kaimingUniform({ slope: Math.sqrt(5) }) });
    this.#heads = heads;
  }

  /**
   * @param query [B, Nq, E]
   * @param key [B, Nk, keyDim], the query by default
   * @param value [B, Nk, valueDim], the key by default
   * @returns [B, Nq, E]
   */
  forward(query: Tensor, key: Tensor = query, value: Tensor = key, options: AttendOptions = {}): Tensor {
    if ([query, key, value].some((t) => t.ndim !== 3))
      throw new ShapeError(
        `MultiHeadAttention: query, key and value must be [B, N, E], got ${[query, key, value].map((t) => formatShape(t.shape)).join(", ")}`,
      );
    const [q, k, v] = this.#project(query, key, value).map((t) => this.#split(t));
    if (!q || !k || !v) return query;
    const mask = this.#mask(options);
    const y = attention(q, k, v, { ...(mask && { mask }), causal: options.causal ?? false });
    const [batch = 0, heads = 0, length = 0, width = 0] = y.shape;
    return this.out_proj.forward(y.permute([0, 2, 1, 3]).reshape([batch, length, heads * width]));
  }

  /** Both masks as one. */
  #mask({ mask, keys }: AttendOptions): Tensor | null {
    if (!keys) return mask ?? null;
    const present = keys.cast("bool").reshape([keys.shape[0] ?? 0, 1, 1, keys.shape[1] ?? 0]);
    if (!mask) return present;
    return mask.dtype === "bool" ? mask.and(present) : where(present, mask, -Infinity);
  }

  #project(query: Tensor, key: Tensor, value: Tensor): Tensor[] {
    const weight = this.in_proj_weight;
    // one product where all three read the same tensor
    if (weight && query === key && key === value) return linear(query, weight, this.in_proj_bias).chunk(3, -1);
    const weights = weight?.chunk(3, 0) ?? [this.q_proj_weight, this.k_proj_weight, this.v_proj_weight];
    const biases = this.in_proj_bias?.chunk(3, 0);
    return [query, key, value].flatMap((x, i) => {
      const w = weights[i];
      return w ? [linear(x, w, biases?.[i])] : [];
    });
  }

  /** [B, N, E] → [B, H, N, D] */
  #split(x: Tensor): Tensor {
    const [batch = 0, length = 0, dim = 0] = x.shape;
    return x.reshape([batch, length, this.#heads, dim / this.#heads]).permute([0, 2, 1, 3]);
  }
}
