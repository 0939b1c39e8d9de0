import type { KeyRule } from "@omni/core/checkpoint";

/** Our name of the table of words, and transformers'. */
export const EMBEDDING = "shared.weight";
const DOUBLED = "encoder.embed_tokens.weight";

/**
 * Our name of a parameter in transformers' naming, which is ours; null where the encoder has no use for it. Encoders are saved with their embedding
 * under one of its two names or both, full T5s with their decoder.
 *
 * @param names all of the file's
 */
export function encoderNames(names: ReadonlySet<string>): (name: string) => string | null {
  return (name) => {
    if (name === DOUBLED) return names.has(EMBEDDING) ? null : EMBEDDING;
    return /^(?:decoder\.|lm_head\.)/.test(name) ? null : name;
  };
}

/** Our names → those of Wan's umt5-xxl encoder. */
export const wanRules: readonly KeyRule[] = (
  [
    [/^shared\.weight$/, "token_embedding.weight"],
    [/^encoder\.final_layer_norm\.weight$/, "norm.weight"],
    [/^encoder\.block\.(\d+)\.layer\.0\.layer_norm\.weight$/, "blocks.$1.norm1.weight"],
    [/^encoder\.block\.(\d+)\.layer\.1\.layer_norm\.weight$/, "blocks.$1.norm2.weight"],
    [/^encoder\.block\.(\d+)\.layer\.0\.SelfAttention\.([qkvo])\.weight$/, "blocks.$1.attn.$2.weight"],
    [
      /^encoder\.block\.(\d+)\.layer\.0\.SelfAttention\.relative_attention_bias\.weight$/,
      "blocks.$1.pos_embedding.embedding.weight",
    ],
    [/^encoder\.block\.(\d+)\.layer\.1\.DenseReluDense\.wi_0\.weight$/, "blocks.$1.ffn.gate.0.weight"],
    [/^encoder\.block\.(\d+)\.layer\.1\.DenseReluDense\.wi_1\.weight$/, "blocks.$1.ffn.fc1.weight"],
    [/^encoder\.block\.(\d+)\.layer\.1\.DenseReluDense\.wo\.weight$/, "blocks.$1.ffn.fc2.weight"],
  ] as const
).map(([ours, key]) => ({ ours, theirs: [key] }));
