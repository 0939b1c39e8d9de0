import { channelsFirst, patches, squeezed, table } from "@omni/core/checkpoint";
import type { KeyRule } from "@omni/core/checkpoint";
import { PATCH } from "../config.ts";

/** A projection that has the same parts, weight and bias, on both sides. */
const linear = (ours: string, ...theirs: readonly string[]): KeyRule => ({
  ours: new RegExp(`^${ours}\\.(weight|bias)$`),
  // the last group is the part
  theirs: theirs.map((key) => `${key}.$${ours.includes("(") ? 2 : 1}`),
});

/** Wan2.1 as released, `WanModel`: `blocks.0.self_attn.q.weight`, … */
export const wanRules: readonly KeyRule[] = [
  { ours: /^patchEmbed\.weight$/, theirs: ["patch_embedding.weight"], join: patches(PATCH.t, PATCH.y, PATCH.x) },
  { ours: /^patchEmbed\.bias$/, theirs: ["patch_embedding.bias"] },
  linear("textIn\\.in", "text_embedding.0"),
  linear("textIn\\.out", "text_embedding.2"),
  linear("timeIn\\.in", "time_embedding.0"),
  linear("timeIn\\.out", "time_embedding.2"),
  linear("timeIn\\.projection", "time_projection.1"),
  { ours: /^blocks\.(\d+)\.modulation$/, theirs: ["blocks.$1.modulation"], join: squeezed },
  linear("blocks\\.(\\d+)\\.video\\.qkv", ...["q", "k", "v"].map((part) => `blocks.$1.self_attn.${part}`)),
  {
    ours: /^blocks\.(\d+)\.video\.qkScale$/,
    theirs: ["blocks.$1.self_attn.norm_q.weight", "blocks.$1.self_attn.norm_k.weight"],
    join: table,
  },
  linear("blocks\\.(\\d+)\\.video\\.projection", "blocks.$1.self_attn.o"),
  linear("blocks\\.(\\d+)\\.video\\.ffn\\.fc1", "blocks.$1.ffn.0"),
  linear("blocks\\.(\\d+)\\.video\\.ffn\\.fc2", "blocks.$1.ffn.2"),
  linear("blocks\\.(\\d+)\\.crossNorm", "blocks.$1.norm3"),
  linear("blocks\\.(\\d+)\\.cross\\.query", "blocks.$1.cross_attn.q"),
  linear("blocks\\.(\\d+)\\.cross\\.keyValue", "blocks.$1.cross_attn.k", "blocks.$1.cross_attn.v"),
  {
    ours: /^blocks\.(\d+)\.cross\.qkScale$/,
    theirs: ["blocks.$1.cross_attn.norm_q.weight", "blocks.$1.cross_attn.norm_k.weight"],
    join: table,
  },
  linear("blocks\\.(\\d+)\\.cross\\.projection", "blocks.$1.cross_attn.o"),
  { ours: /^finalLayer\.modulation$/, theirs: ["head.modulation"], join: squeezed },
  { ours: /^finalLayer\.projection\.(.+)$/, theirs: ["head.head.$1"], join: channelsFirst },
];

/** Wan's names → those of diffusers. */
const diffusersNames: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^text_embedding\.0\./, "condition_embedder.text_embedder.linear_1."],
  [/^text_embedding\.2\./, "condition_embedder.text_embedder.linear_2."],
  [/^time_embedding\.0\./, "condition_embedder.time_embedder.linear_1."],
  [/^time_embedding\.2\./, "condition_embedder.time_embedder.linear_2."],
  [/^time_projection\.1\./, "condition_embedder.time_proj."],
  [/^(blocks\.\$1)\.modulation$/, "$1.scale_shift_table"],
  [/\.self_attn\.([qkv])\./, ".attn1.to_$1."],
  [/\.cross_attn\.([qkv])\./, ".attn2.to_$1."],
  [/\.self_attn\.o\./, ".attn1.to_out.0."],
  [/\.cross_attn\.o\./, ".attn2.to_out.0."],
  [/\.self_attn\.norm_/, ".attn1.norm_"],
  [/\.cross_attn\.norm_/, ".attn2.norm_"],
  [/\.norm3\./, ".norm2."],
  [/\.ffn\.0\./, ".ffn.net.0.proj."],
  [/\.ffn\.2\./, ".ffn.net.2."],
  [/^head\.modulation$/, "scale_shift_table"],
  [/^head\.head\./, "proj_out."],
];

/** Wan2.1 in diffusers, `WanTransformer3DModel`: `blocks.0.attn1.to_q.weight`, … */
export const wanDiffusersRules: readonly KeyRule[] = wanRules.map((rule) => ({
  ...rule,
  theirs: rule.theirs.map((key) => diffusersNames.reduce((name, [from, to]) => name.replace(from, to), key)),
}));
