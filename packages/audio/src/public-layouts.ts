import { layerCount, sizeAt } from "@omni/core/checkpoint";
import type { KeyLayout, NamedShapes } from "@omni/core/checkpoint";
import { presets } from "./config.ts";
import type { AudioConfig } from "./config.ts";
import { fromUpstream } from "./key-map.ts";

// shapes tell neither heads nor strides: all public encoders have heads of 64, and base's strides
const HEAD_DIM = 64;

function configFrom(shapes: NamedShapes): AudioConfig {
  const conv = (layer: number): string => `feature_extractor.conv_layers.${layer}.conv.weight`;
  const layers = Array.from({ length: presets.base.convDim.length }, (_, i) => i);
  const hiddenSize = sizeAt(shapes, "feature_projection.projection.weight", 0);
  const positions = "encoder.pos_conv_embed.conv.weight_v";
  const normsAll = "feature_extractor.conv_layers.1.layer_norm.weight" in shapes;
  return {
    ...(normsAll ? presets.large : presets.base),
    convDim: layers.map((i) => sizeAt(shapes, conv(i), 0)),
    convKernel: layers.map((i) => sizeAt(shapes, conv(i), 2)),
    convBias: "feature_extractor.conv_layers.0.conv.bias" in shapes,
    hiddenSize,
    layers: layerCount(shapes, /^encoder\.layers\.(\d+)\./),
    heads: hiddenSize / HEAD_DIM,
    ffnDim: sizeAt(shapes, "encoder.layers.0.feed_forward.intermediate_dense.weight", 0),
    positionKernel: sizeAt(shapes, positions, 2),
    positionGroups: hiddenSize / sizeAt(shapes, positions, 1),
  };
}

/** Layouts that a `Wav2Vec2Encoder` can be read from and written to. */
export const publicLayouts: readonly KeyLayout<AudioConfig>[] = [
  {
    name: "wav2vec2",
    title: "a wav2vec 2.0 encoder in transformers' names",
    spelling: () => (name) => {
      const ours = fromUpstream(name);
      return ours === undefined ? name : ours;
    },
    matches: (shapes) =>
      "feature_extractor.conv_layers.0.conv.weight" in shapes && "encoder.pos_conv_embed.conv.weight_v" in shapes,
    config: configFrom,
    rules: () => [{ ours: /^(.+)$/, theirs: ["$1"] }],
  },
];
