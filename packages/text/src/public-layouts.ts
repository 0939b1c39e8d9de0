import { layerCount, sizeAt } from "@omni/core/checkpoint";
import type { KeyLayout, NamedShapes } from "@omni/core/checkpoint";
import { presets } from "./config.ts";
import type { TextConfig } from "./config.ts";
import { EMBEDDING, encoderNames, wanRules } from "./key-map.ts";

type Place = "embedding" | "query" | "positions" | "ffn";

function configFrom(
  shapes: NamedShapes,
  layers: RegExp,
  names: Readonly<Record<Place, string>>,
  kind: Pick<TextConfig, "feedForward" | "relativePositions">,
): TextConfig {
  const heads = sizeAt(shapes, names.positions, 1);
  const { maxDistance, normEps, maxTokens } = presets["umt5-xxl"];
  return {
    vocabSize: sizeAt(shapes, names.embedding, 0),
    width: sizeAt(shapes, names.embedding, 1),
    layers: layerCount(shapes, layers),
    heads,
    headDim: sizeAt(shapes, names.query, 0) / heads,
    ffnDim: sizeAt(shapes, names.ffn, 0),
    ...kind,
    buckets: sizeAt(shapes, names.positions, 0),
    maxDistance,
    normEps,
    maxTokens,
  };
}

const inBlock = (index: number, rest: string): string => `encoder.block.${index}.layer.${rest}.weight`;

/** Layouts that a `T5Encoder` can be read from and written to. */
export const publicLayouts: readonly KeyLayout<TextConfig>[] = [
  {
    name: "t5",
    title: "a T5 or UMT5 encoder in transformers' names",
    spelling: encoderNames,
    matches: (shapes) => EMBEDDING in shapes && inBlock(0, "0.SelfAttention.q") in shapes,
    config: (shapes) => {
      const isGated = inBlock(0, "1.DenseReluDense.wi_0") in shapes;
      return configFrom(
        shapes,
        /^encoder\.block\.(\d+)\./,
        {
          embedding: EMBEDDING,
          query: inBlock(0, "0.SelfAttention.q"),
          positions: inBlock(0, "0.SelfAttention.relative_attention_bias"),
          ffn: inBlock(0, isGated ? "1.DenseReluDense.wi_0" : "1.DenseReluDense.wi"),
        },
        {
          feedForward: isGated ? "gated-gelu" : "relu",
          relativePositions: inBlock(1, "0.SelfAttention.relative_attention_bias") in shapes ? "per-layer" : "shared",
        },
      );
    },
    rules: () => [{ ours: /^(.+)$/, theirs: ["$1"] }],
  },
  {
    name: "umt5-wan",
    title: "Wan's UMT5 encoder",
    matches: (shapes) => "token_embedding.weight" in shapes && "blocks.0.pos_embedding.embedding.weight" in shapes,
    config: (shapes) =>
      configFrom(
        shapes,
        /^blocks\.(\d+)\./,
        {
          embedding: "token_embedding.weight",
          query: "blocks.0.attn.q.weight",
          positions: "blocks.0.pos_embedding.embedding.weight",
          ffn: "blocks.0.ffn.fc1.weight",
        },
        { feedForward: "gated-gelu", relativePositions: "per-layer" },
      ),
    rules: () => wanRules,
  },
];
