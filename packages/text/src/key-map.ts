/** Upstream parameter names → ours (transformers' naming), tried in order; `null` drops the parameter. */
export const keyMap: readonly (readonly [pattern: RegExp, replacement: string | null])[] = [
  // the same matrix as shared.weight
  [/^encoder\.embed_tokens\.weight$/, null],
  // the decoder of a full T5
  [/^(?:decoder\..*|lm_head\.weight)$/, null],
  [/^(shared\.weight|encoder\.(?:block|final_layer_norm)\..*)$/, "$1"],
  // Wan's umt5-xxl encoder
  [/^token_embedding\.weight$/, "shared.weight"],
  [/^norm\.weight$/, "encoder.final_layer_norm.weight"],
  [/^blocks\.(\d+)\.norm1\.weight$/, "encoder.block.$1.layer.0.layer_norm.weight"],
  [/^blocks\.(\d+)\.norm2\.weight$/, "encoder.block.$1.layer.1.layer_norm.weight"],
  [/^blocks\.(\d+)\.attn\.([qkvo])\.weight$/, "encoder.block.$1.layer.0.SelfAttention.$2.weight"],
  [
    /^blocks\.(\d+)\.pos_embedding\.embedding\.weight$/,
    "encoder.block.$1.layer.0.SelfAttention.relative_attention_bias.weight",
  ],
  [/^blocks\.(\d+)\.ffn\.gate\.0\.weight$/, "encoder.block.$1.layer.1.DenseReluDense.wi_0.weight"],
  [/^blocks\.(\d+)\.ffn\.fc1\.weight$/, "encoder.block.$1.layer.1.DenseReluDense.wi_1.weight"],
  [/^blocks\.(\d+)\.ffn\.fc2\.weight$/, "encoder.block.$1.layer.1.DenseReluDense.wo.weight"],
];

/**
 * Our name of an upstream parameter (T5 and UMT5 in transformers' naming, UMT5 in Wan's).
 *
 * @returns null where the encoder has no use for it; undefined where the name is unknown
 */
export function fromUpstream(name: string): string | null | undefined {
  for (const [pattern, replacement] of keyMap)
    if (pattern.test(name)) return replacement === null ? null : name.replace(pattern, replacement);
  return undefined;
}
