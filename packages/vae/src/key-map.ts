import { shaped } from "@omni/core/checkpoint";
import type { Join, KeyRule } from "@omni/core/checkpoint";
import type { VaeConfig } from "./config.ts";

/** Gains of norms: [C, 1, 1, 1] upstream, [C, 1, 1] in the attention over frames. */
const gain: Join = shaped((ours) => [...ours, 1, 1, 1]);
const frameGain: Join = shaped((ours) => [...ours, 1, 1]);
/** 2D convolutions upstream, which are 3D ones over a single frame here. */
const ofFrame: Join = shaped((ours) => (ours.length === 5 ? ours.filter((_, axis) => axis !== 2) : ours));

/** Upstream's names of what a layer holds. */
interface LayerNames {
  readonly norm1: string;
  readonly conv1: string;
  readonly norm2: string;
  readonly conv2: string;
  readonly shortcut: string;
}

const wanLayer: LayerNames = {
  norm1: "residual.0",
  conv1: "residual.2",
  norm2: "residual.3",
  conv2: "residual.6",
  shortcut: "shortcut",
};
const diffusersLayer: LayerNames = {
  norm1: "norm1",
  conv1: "conv1",
  norm2: "norm2",
  conv2: "conv2",
  shortcut: "conv_shortcut",
};

/** Rules of the layers at a place; the pattern's groups are used in upstream's place. */
function layerRules(ours: string, theirs: string, names: LayerNames): KeyRule[] {
  const part = (1 + (ours.match(/\((?!\?)/g) ?? []).length).toString();
  const rule = (own: string, other: string, join?: Join): KeyRule => ({
    ours: new RegExp(`^${ours}\\.${own}\\.(weight|bias)$`),
    theirs: [`${theirs}.${other}.$${part}`],
    ...(join && { join }),
  });
  const norm = (own: string, other: string, join: Join): KeyRule => ({
    ours: new RegExp(`^${ours}\\.${own}\\.weight$`),
    theirs: [`${theirs}.${other}.gamma`],
    join,
  });
  return [
    norm("norm1", names.norm1, gain),
    rule("conv1", names.conv1),
    norm("norm2", names.norm2, gain),
    rule("conv2", names.conv2),
    rule("shortcut", names.shortcut),
    rule("spatial", "resample.1", ofFrame),
    rule("temporal", "time_conv"),
    norm("norm", "norm", frameGain),
    rule("toQkv", "to_qkv", ofFrame),
    rule("proj", "proj", ofFrame),
  ];
}

/** Rules of the ends of both halves. */
function endRules(names: Readonly<Record<"quant" | "postQuant" | "convIn" | "norm" | "convOut", string>>): KeyRule[] {
  return [
    { ours: /^quant\.(.+)$/, theirs: [`${names.quant}.$1`] },
    { ours: /^postQuant\.(.+)$/, theirs: [`${names.postQuant}.$1`] },
    { ours: /^(encoder|decoder)\.convIn\.(.+)$/, theirs: [`$1.${names.convIn}.$2`] },
    { ours: /^(encoder|decoder)\.norm\.weight$/, theirs: [`$1.${names.norm}.gamma`], join: gain },
    { ours: /^(encoder|decoder)\.convOut\.(.+)$/, theirs: [`$1.${names.convOut}.$2`] },
  ];
}

/** Wan2.1's autoencoder as released: `encoder.downsamples.0.residual.2.weight`, … */
export const wanRules: readonly KeyRule[] = [
  ...endRules({ quant: "conv1", postQuant: "conv2", convIn: "conv1", norm: "head.0", convOut: "head.2" }),
  ...layerRules("encoder\\.layers\\.(\\d+)", "encoder.downsamples.$1", wanLayer),
  ...layerRules("decoder\\.layers\\.(\\d+)", "decoder.upsamples.$1", wanLayer),
  ...layerRules("(encoder|decoder)\\.middle\\.(\\d+)", "$1.middle.$2", wanLayer),
];

/** The same network in diffusers, `AutoencoderKLWan`: blocks of blocks in the decoder, one row in the encoder. */
export function diffusersRules({
  decoderBlocks,
  decoderDims,
}: Pick<VaeConfig, "decoderBlocks" | "decoderDims">): readonly KeyRule[] {
  // an up block has its residual blocks, then where there is one its upsampler
  const upBlocks = decoderDims.flatMap((_, level) =>
    Array.from({ length: decoderBlocks + 1 }, (_, i) => {
      const place = i < decoderBlocks ? `resnets.${i}` : "upsamplers.0";
      const index = level * (decoderBlocks + 1) + i;
      return layerRules(`decoder\\.layers\\.${index}`, `decoder.up_blocks.${level}.${place}`, diffusersLayer);
    }).flat(),
  );
  const middle = ["resnets.0", "attentions.0", "resnets.1"].flatMap((place, i) =>
    layerRules(`(encoder|decoder)\\.middle\\.${i}`, `$1.mid_block.${place}`, diffusersLayer),
  );
  return [
    ...endRules({
      quant: "quant_conv",
      postQuant: "post_quant_conv",
      convIn: "conv_in",
      norm: "norm_out",
      convOut: "conv_out",
    }),
    ...layerRules("encoder\\.layers\\.(\\d+)", "encoder.down_blocks.$1", diffusersLayer),
    ...upBlocks,
    ...middle,
  ];
}
