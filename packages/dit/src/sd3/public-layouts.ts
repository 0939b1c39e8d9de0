import { layerCount, sizeAt } from "@omni/core/checkpoint";
import type { KeyLayout, NamedShapes } from "@omni/core/checkpoint";
import { PATCH } from "../config.ts";
import { withoutPipeline } from "../pipeline-names.ts";
import { sd3Presets } from "./config.ts";
import type { Sd3Config } from "./config.ts";
import { sd3DiffusersRules, sd3Rules } from "./key-map.ts";

type Place = "patch" | "positions" | "pooled" | "norm" | "head";

function configFrom(shapes: NamedShapes, layers: RegExp, names: Readonly<Record<Place, string>>): Sd3Config {
  return {
    latentChannels: sizeAt(shapes, names.patch, 1),
    outChannels: sizeAt(shapes, names.head, 0) / (PATCH.y * PATCH.x),
    width: sizeAt(shapes, names.patch, 0),
    // shapes do not tell it: all of SD3's have heads of 64
    headDim: sd3Presets["sd3-medium"].headDim,
    depth: layerCount(shapes, layers),
    textDim: sizeAt(shapes, "context_embedder.weight", 1),
    pooledDim: sizeAt(shapes, names.pooled, 1),
    positions: Math.round(Math.sqrt(sizeAt(shapes, names.positions, -2))),
    // of use only where the table of positions is not in the file
    baseSize: sd3Presets["sd3-medium"].baseSize,
    qkNorm: names.norm in shapes,
  };
}

/** Layouts that an `Sd3Transformer` can be read from and written to. */
export const publicLayouts: readonly KeyLayout<Sd3Config>[] = [
  {
    name: "sd3",
    title: "Stable Diffusion 3's transformer",
    spelling: withoutPipeline,
    matches: (shapes) => "joint_blocks.0.x_block.attn.qkv.weight" in shapes,
    config: (shapes) =>
      configFrom(shapes, /^joint_blocks\.(\d+)\./, {
        patch: "x_embedder.proj.weight",
        positions: "pos_embed",
        pooled: "y_embedder.mlp.0.weight",
        norm: "joint_blocks.0.x_block.attn.ln_q.weight",
        head: "final_layer.linear.weight",
      }),
    rules: () => sd3Rules,
  },
  {
    name: "sd3-diffusers",
    title: "Stable Diffusion 3's transformer in diffusers' names",
    spelling: withoutPipeline,
    matches: (shapes) => "pos_embed.proj.weight" in shapes && "transformer_blocks.0.attn.add_q_proj.weight" in shapes,
    config: (shapes) =>
      configFrom(shapes, /^transformer_blocks\.(\d+)\./, {
        patch: "pos_embed.proj.weight",
        positions: "pos_embed.pos_embed",
        pooled: "time_text_embed.text_embedder.linear_1.weight",
        norm: "transformer_blocks.0.attn.norm_q.weight",
        head: "proj_out.weight",
      }),
    rules: sd3DiffusersRules,
  },
];
