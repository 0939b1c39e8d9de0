import { layerCount, sizeAt } from "@omni/core/checkpoint";
import type { KeyLayout, NamedShapes } from "@omni/core/checkpoint";
import { PATCH } from "../config.ts";
import { withoutPipeline } from "../pipeline-names.ts";
import { wanPresets } from "./config.ts";
import type { WanConfig } from "./config.ts";
import { wanDiffusersRules, wanRules } from "./key-map.ts";

type Place = "patch" | "text" | "time" | "ffn" | "crossNorm" | "head";

function configFrom(shapes: NamedShapes, names: Readonly<Record<Place, string>>): WanConfig {
  return {
    latentChannels: sizeAt(shapes, names.patch, 1),
    outChannels: sizeAt(shapes, names.head, 0) / (PATCH.y * PATCH.x),
    textDim: sizeAt(shapes, names.text, 1),
    width: sizeAt(shapes, names.patch, 0),
    // shapes do not tell it: all of Wan's have heads of 128
    headDim: wanPresets["wan2.1-t2v-1.3b"].headDim,
    depth: layerCount(shapes, /^blocks\.(\d+)\./),
    ffnDim: sizeAt(shapes, names.ffn, 0),
    timeDim: sizeAt(shapes, names.time, 1),
    crossNorm: names.crossNorm in shapes,
  };
}

/** Layouts that a `WanDit` can be read from and written to. */
export const publicLayouts: readonly KeyLayout<WanConfig>[] = [
  {
    name: "wan2.1-dit",
    title: "Wan2.1's transformer",
    spelling: withoutPipeline,
    matches: (shapes) => "patch_embedding.weight" in shapes && "blocks.0.self_attn.q.weight" in shapes,
    config: (shapes) =>
      configFrom(shapes, {
        patch: "patch_embedding.weight",
        text: "text_embedding.0.weight",
        time: "time_embedding.0.weight",
        ffn: "blocks.0.ffn.0.weight",
        crossNorm: "blocks.0.norm3.weight",
        head: "head.head.weight",
      }),
    rules: () => wanRules,
  },
  {
    name: "wan2.1-dit-diffusers",
    title: "Wan2.1's transformer in diffusers' names",
    spelling: withoutPipeline,
    matches: (shapes) => "patch_embedding.weight" in shapes && "blocks.0.attn1.to_q.weight" in shapes,
    config: (shapes) =>
      configFrom(shapes, {
        patch: "patch_embedding.weight",
        text: "condition_embedder.text_embedder.linear_1.weight",
        time: "condition_embedder.time_embedder.linear_1.weight",
        ffn: "blocks.0.ffn.net.0.proj.weight",
        crossNorm: "blocks.0.norm2.weight",
        head: "proj_out.weight",
      }),
    rules: () => wanDiffusersRules,
  },
];
