import { channelsFirst, patches, squeezed, swapped, table } from "@omni/core/checkpoint";
import type { KeyRule } from "@omni/core/checkpoint";
import { PATCH } from "../config.ts";

/** What both namings share: rules of the ends, given the names that differ. */
function ends(names: {
  readonly patch: string;
  readonly positions: string;
  readonly time: readonly [string, string];
  readonly pooled: readonly [string, string];
}): readonly KeyRule[] {
  return [
    { ours: /^patchEmbed\.weight$/, theirs: [`${names.patch}.weight`], join: patches(PATCH.y, PATCH.x) },
    { ours: /^patchEmbed\.bias$/, theirs: [`${names.patch}.bias`] },
    { ours: /^posEmbed$/, theirs: [names.positions], join: squeezed },
    { ours: /^timeIn\.timeIn\.(.+)$/, theirs: [`${names.time[0]}.$1`] },
    { ours: /^timeIn\.timeOut\.(.+)$/, theirs: [`${names.time[1]}.$1`] },
    { ours: /^timeIn\.pooledIn\.(.+)$/, theirs: [`${names.pooled[0]}.$1`] },
    { ours: /^timeIn\.pooledOut\.(.+)$/, theirs: [`${names.pooled[1]}.$1`] },
    { ours: /^textIn\.(.+)$/, theirs: ["context_embedder.$1"] },
  ];
}

/** SD3 as released: `joint_blocks.0.x_block.attn.qkv.weight`, … */
export const sd3Rules: readonly KeyRule[] = [
  ...ends({
    patch: "x_embedder.proj",
    positions: "pos_embed",
    time: ["t_embedder.mlp.0", "t_embedder.mlp.2"],
    pooled: ["y_embedder.mlp.0", "y_embedder.mlp.2"],
  }),
  ...(["video", "text"] as const).flatMap((stream): KeyRule[] => {
    const theirs = `joint_blocks.$1.${stream === "video" ? "x_block" : "context_block"}`;
    const ours = (rest: string): RegExp => new RegExp(`^blocks\\.(\\d+)\\.${stream}${rest}$`);
    return [
      { ours: ours("\\.qkv\\.(.+)"), theirs: [`${theirs}.attn.qkv.$2`] },
      {
        ours: ours("\\.qkScale"),
        theirs: [`${theirs}.attn.ln_q.weight`, `${theirs}.attn.ln_k.weight`],
        join: table,
      },
      { ours: ours("\\.projection\\.(.+)"), theirs: [`${theirs}.attn.proj.$2`] },
      { ours: ours("\\.ffn\\.(.+)"), theirs: [`${theirs}.mlp.$2`] },
      { ours: ours("Modulation\\.(.+)"), theirs: [`${theirs}.adaLN_modulation.1.$2`] },
    ];
  }),
  { ours: /^finalLayer\.modulation\.(.+)$/, theirs: ["final_layer.adaLN_modulation.1.$1"] },
  { ours: /^finalLayer\.projection\.(.+)$/, theirs: ["final_layer.linear.$1"], join: channelsFirst },
];

const STREAMS = {
  video: {
    qkv: ["to_q", "to_k", "to_v"],
    norms: ["norm_q", "norm_k"],
    out: "to_out.0",
    ffn: "ff",
    modulation: "norm1",
  },
  text: {
    qkv: ["add_q_proj", "add_k_proj", "add_v_proj"],
    norms: ["norm_added_q", "norm_added_k"],
    out: "to_add_out",
    ffn: "ff_context",
    modulation: "norm1_context",
  },
} as const;

/** A block of diffusers, whose class is `JointTransformerBlock`. Its last text modulation says scale before shift. */
function diffusersBlock(index: string, place: string, isLast: boolean): KeyRule[] {
  return Object.entries(STREAMS).flatMap(([stream, { qkv, norms, out, ffn, modulation }]): KeyRule[] => {
    const ours = (rest: string): RegExp => new RegExp(`^blocks\\.(${index})\\.${stream}${rest}$`);
    return [
      { ours: ours("\\.qkv\\.(.+)"), theirs: qkv.map((part) => `${place}attn.${part}.$2`) },
      { ours: ours("\\.qkScale"), theirs: norms.map((norm) => `${place}attn.${norm}.weight`), join: table },
      { ours: ours("\\.projection\\.(.+)"), theirs: [`${place}attn.${out}.$2`] },
      { ours: ours("\\.ffn\\.fc1\\.(.+)"), theirs: [`${place}${ffn}.net.0.proj.$2`] },
      { ours: ours("\\.ffn\\.fc2\\.(.+)"), theirs: [`${place}${ffn}.net.2.$2`] },
      {
        ours: ours("Modulation\\.(.+)"),
        theirs: [`${place}${modulation}.linear.$2`],
        ...(isLast && stream === "text" && { join: swapped }),
      },
    ];
  });
}

/** SD3 in diffusers, `SD3Transformer2DModel`: `transformer_blocks.0.attn.to_q.weight`, … */
export const sd3DiffusersRules = ({ depth }: { readonly depth: number }): readonly KeyRule[] => [
  ...ends({
    patch: "pos_embed.proj",
    positions: "pos_embed.pos_embed",
    time: ["time_text_embed.timestep_embedder.linear_1", "time_text_embed.timestep_embedder.linear_2"],
    pooled: ["time_text_embed.text_embedder.linear_1", "time_text_embed.text_embedder.linear_2"],
  }),
  ...diffusersBlock(String(depth - 1), "transformer_blocks.$1.", true),
  ...diffusersBlock("\\d+", "transformer_blocks.$1.", false),
  { ours: /^finalLayer\.modulation\.(.+)$/, theirs: ["norm_out.linear.$1"], join: swapped },
  { ours: /^finalLayer\.projection\.(.+)$/, theirs: ["proj_out.$1"], join: channelsFirst },
];
