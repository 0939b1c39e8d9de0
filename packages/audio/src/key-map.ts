type KeyMap = readonly (readonly [pattern: RegExp, replacement: string | null])[];

// torch ≥ 2 stores weight norm as a parametrisation
const WEIGHT_NORM: KeyMap = [
  [/^(.*pos_conv_embed\.conv)\.parametrizations\.weight\.original0$/, "$1.weight_g"],
  [/^(.*pos_conv_embed\.conv)\.parametrizations\.weight\.original1$/, "$1.weight_v"],
];

/** Upstream parameter names → the encoder's, tried in order; `null` drops the parameter. */
export const keyMap: KeyMap = [
  // heads: of CTC, and of upstream's pre-training
  [/^lm_head\..*$/, null],
  [/^(?:project_hid|project_q|quantizer)\..*$/, null],
  // the vector that replaces hidden steps in upstream's training
  [/^masked_spec_embed$/, null],
  [/^((?:feature_extractor|feature_projection|encoder)\..*)$/, "$1"],
];

const PREFIX = /^wav2vec2\./;

function translated(name: string, map: KeyMap): string | null | undefined {
  for (const [pattern, replacement] of map)
    if (pattern.test(name)) return replacement === null ? null : name.replace(pattern, replacement);
  return undefined;
}

/**
 * The encoder's name of an upstream parameter (`facebook/wav2vec2-*` in transformers' naming, with or without the prefix `wav2vec2.`).
 *
 * @returns null where the encoder has no use for it; undefined where the name is unknown
 */
export function fromUpstream(name: string): string | null | undefined {
  const bare = name.replace(PREFIX, "");
  return translated(translated(bare, WEIGHT_NORM) ?? bare, keyMap);
}

/** `Wav2Vec2Ctc`'s name of an upstream parameter: upstream's own, but for weight norm as torch ≥ 2 spells it. */
export const ctcFromUpstream = (name: string): string => translated(name, WEIGHT_NORM) ?? name;
