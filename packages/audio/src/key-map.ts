/** Upstream parameter names → ours, tried in order; `null` drops the parameter. */
export const keyMap: readonly (readonly [pattern: RegExp, replacement: string | null])[] = [
  // the CTC head, and the vector that replaces masked steps in upstream's training
  [/^lm_head\..*$/, null],
  [/^(?:wav2vec2\.)?masked_spec_embed$/, null],
  // torch ≥ 2 stores weight norm as a parametrisation
  [/^(?:wav2vec2\.)?(.*pos_conv_embed\.conv)\.parametrizations\.weight\.original0$/, "$1.weight_g"],
  [/^(?:wav2vec2\.)?(.*pos_conv_embed\.conv)\.parametrizations\.weight\.original1$/, "$1.weight_v"],
  [/^(?:wav2vec2\.)?((?:feature_extractor|feature_projection|encoder)\..*)$/, "$1"],
];

/**
 * Our name of an upstream parameter (`facebook/wav2vec2-*` in transformers' naming, with or without the prefix `wav2vec2.`).
 *
 * @returns null where the encoder has no use for it; undefined where the name is unknown
 */
export function fromUpstream(name: string): string | null | undefined {
  for (const [pattern, replacement] of keyMap)
    if (pattern.test(name)) return replacement === null ? null : name.replace(pattern, replacement);
  return undefined;
}
