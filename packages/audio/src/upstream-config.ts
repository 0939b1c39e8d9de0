import { ConfigError } from "./config-error.ts";
import { parseAudioConfig } from "./config.ts";
import type { AudioConfig } from "./config.ts";

// what a file leaves out is base's
const DEFAULTS = {
  conv_dim: [512, 512, 512, 512, 512, 512, 512],
  conv_kernel: [10, 3, 3, 3, 3, 2, 2],
  conv_stride: [5, 2, 2, 2, 2, 2, 2],
  conv_bias: false,
  feat_extract_norm: "group",
  hidden_size: 768,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  intermediate_size: 3072,
  num_conv_pos_embeddings: 128,
  num_conv_pos_embedding_groups: 16,
  do_stable_layer_norm: false,
  layer_norm_eps: 1e-5,
};
const VARIANCE_FLOOR = 1e-7;

/**
 * Our config of a wav2vec 2.0 encoder from the fields of transformers' `config.json`.
 *
 * @param file the file's contents
 * @throws ConfigError naming the field that is missing or of no use
 * @see transformers, Wav2Vec2Config
 */
export function audioConfigFromUpstream(file: Readonly<Record<string, unknown>>): AudioConfig {
  const upstream: Readonly<Record<string, unknown>> = { ...DEFAULTS, ...file };
  for (const name of ["hidden_act", "feat_extract_activation"])
    if ((upstream[name] ?? "gelu") !== "gelu")
      throw new ConfigError(`AudioConfig: ${name} must be "gelu", got ${JSON.stringify(upstream[name])}`);
  return parseAudioConfig({
    convDim: upstream["conv_dim"],
    convKernel: upstream["conv_kernel"],
    convStride: upstream["conv_stride"],
    convBias: upstream["conv_bias"],
    extractorNorm: upstream["feat_extract_norm"],
    hiddenSize: upstream["hidden_size"],
    layers: upstream["num_hidden_layers"],
    heads: upstream["num_attention_heads"],
    ffnDim: upstream["intermediate_size"],
    positionKernel: upstream["num_conv_pos_embeddings"],
    positionGroups: upstream["num_conv_pos_embedding_groups"],
    preNorm: upstream["do_stable_layer_norm"],
    layerNormEps: upstream["layer_norm_eps"],
    attentionReach: null,
    varianceFloor: VARIANCE_FLOOR,
  });
}
