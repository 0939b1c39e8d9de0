import { ConfigError } from "./config-error.ts";
import { parseTextConfig } from "./config.ts";
import type { TextConfig } from "./config.ts";

const LONGEST = 512;

/**
 * Our config of a T5 or UMT5 encoder from the fields of transformers' `config.json`.
 *
 * @param upstream the file's contents
 * @param options.perLayer a table of relative positions a layer; by default where `model_type` is `umt5`
 * @throws ConfigError naming the field that is missing or of no use
 * @see transformers, T5Config and UMT5Config
 */
export function textConfigFromUpstream(
  upstream: Readonly<Record<string, unknown>>,
  {
    perLayer = upstream["model_type"] === "umt5",
    maxTokens = LONGEST,
  }: { readonly perLayer?: boolean; readonly maxTokens?: number } = {},
): TextConfig {
  const feedForward = upstream["feed_forward_proj"] ?? "relu";
  if (feedForward !== "gated-gelu" && feedForward !== "relu")
    throw new ConfigError(
      `TextConfig: feed_forward_proj must be "gated-gelu" or "relu", got ${JSON.stringify(feedForward)}`,
    );
  return parseTextConfig({
    vocabSize: upstream["vocab_size"],
    width: upstream["d_model"],
    layers: upstream["num_layers"],
    heads: upstream["num_heads"],
    headDim: upstream["d_kv"],
    ffnDim: upstream["d_ff"],
    feedForward,
    relativePositions: perLayer ? "per-layer" : "shared",
    buckets: upstream["relative_attention_num_buckets"] ?? 32,
    maxDistance: upstream["relative_attention_max_distance"] ?? 128,
    normEps: upstream["layer_norm_epsilon"] ?? 1e-6,
    maxTokens,
  });
}
