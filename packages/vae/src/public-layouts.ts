import { sizeAt } from "@omni/core/checkpoint";
import type { KeyLayout, NamedShapes } from "@omni/core/checkpoint";
import { vaePresets } from "./config.ts";
import type { VaeConfig } from "./config.ts";
import { diffusersRules, wanRules } from "./key-map.ts";

/** Upstream's names that tell widths; a level's first residual block is level · stride. */
interface WidthNames {
  readonly encoder: (index: number) => string;
  readonly decoder: (level: number) => string;
  readonly latents: string;
}

/** Wan2.1's layout with the widths of a file. */
function configFrom(shapes: NamedShapes, { encoder, decoder, latents }: WidthNames): VaeConfig {
  const { encoderDims, encoderBlocks, latentMean, latentStd, ...rest } = vaePresets.wan21;
  const levels = encoderDims.length;
  const zDim = sizeAt(shapes, latents, 0);
  const known = zDim === latentMean.length;
  return {
    ...rest,
    encoderBlocks,
    encoderDims: encoderDims.map((_, level) => sizeAt(shapes, encoder(level * (encoderBlocks + 1)), 0)),
    decoderDims: encoderDims.map((_, level) => sizeAt(shapes, decoder(levels - 1 - level), 0)),
    zDim,
    latentMean: known ? latentMean : new Array<number>(zDim).fill(0),
    latentStd: known ? latentStd : new Array<number>(zDim).fill(1),
  };
}

/** Layouts that a `CausalVae` can be read from and written to. */
export const publicLayouts: readonly KeyLayout<VaeConfig>[] = [
  {
    name: "wan2.1-vae",
    title: "Wan2.1's autoencoder",
    matches: (shapes) => "encoder.downsamples.0.residual.0.gamma" in shapes,
    config: (shapes) =>
      configFrom(shapes, {
        encoder: (index) => `encoder.downsamples.${index}.residual.2.weight`,
        decoder: (level) => `decoder.upsamples.${level * (vaePresets.wan21.decoderBlocks + 1)}.residual.2.weight`,
        latents: "conv2.weight",
      }),
    rules: () => wanRules,
  },
  {
    name: "wan2.1-vae-diffusers",
    title: "Wan2.1's autoencoder in diffusers' names",
    matches: (shapes) =>
      "encoder.down_blocks.0.norm1.gamma" in shapes && "decoder.up_blocks.0.resnets.0.norm1.gamma" in shapes,
    config: (shapes) =>
      configFrom(shapes, {
        encoder: (index) => `encoder.down_blocks.${index}.conv1.weight`,
        decoder: (level) => `decoder.up_blocks.${level}.resnets.0.conv1.weight`,
        latents: "post_quant_conv.weight",
      }),
    rules: diffusersRules,
  },
];
