import { CheckpointError } from "@omni/core";
import type { VaeConfig } from "./config.ts";

type Rules = readonly (readonly [pattern: RegExp, replacement: string])[];

/** Wan2.1's names → ours: where a layer stands. */
const places: Rules = [
  [/^conv1\./, "quant."],
  [/^conv2\./, "postQuant."],
  [/^(encoder|decoder)\.conv1\./, "$1.convIn."],
  [/^(encoder|decoder)\.head\.0\.gamma$/, "$1.norm.weight"],
  [/^(encoder|decoder)\.head\.2\./, "$1.convOut."],
  [/^(encoder|decoder)\.(?:downsamples|upsamples)\./, "$1.layers."],
];

/** Wan2.1's names → ours: what it holds. */
const parts: Rules = [
  [/\.residual\.0\.gamma$/, ".norm1.weight"],
  [/\.residual\.2\./, ".conv1."],
  [/\.residual\.3\.gamma$/, ".norm2.weight"],
  [/\.residual\.6\./, ".conv2."],
  [/\.resample\.1\./, ".spatial."],
  [/\.time_conv\./, ".temporal."],
  [/\.norm\.gamma$/, ".norm.weight"],
  [/\.to_qkv\./, ".toQkv."],
];

/** diffusers' names → ours: where a layer stands; a decoder's blocks are counted by {@link flatPlace}. */
const diffusersPlaces: Rules = [
  [/^quant_conv\./, "quant."],
  [/^post_quant_conv\./, "postQuant."],
  [/^(encoder|decoder)\.conv_in\./, "$1.convIn."],
  [/^(encoder|decoder)\.norm_out\.gamma$/, "$1.norm.weight"],
  [/^(encoder|decoder)\.conv_out\./, "$1.convOut."],
  [/^encoder\.down_blocks\./, "encoder.layers."],
  [/^(encoder|decoder)\.mid_block\.resnets\.0\./, "$1.middle.0."],
  [/^(encoder|decoder)\.mid_block\.attentions\.0\./, "$1.middle.1."],
  [/^(encoder|decoder)\.mid_block\.resnets\.1\./, "$1.middle.2."],
];

/** diffusers' names → ours: what it holds. */
const diffusersParts: Rules = [
  [/\.norm([12])\.gamma$/, ".norm$1.weight"],
  [/\.conv_shortcut\./, ".shortcut."],
  [/\.resample\.1\./, ".spatial."],
  [/\.time_conv\./, ".temporal."],
  [/\.norm\.gamma$/, ".norm.weight"],
  [/\.to_qkv\./, ".toQkv."],
];

function renamed(key: string, tables: readonly Rules[]): string {
  const found = tables.map((rules) => rules.find(([pattern]) => pattern.test(key)));
  return found.reduce((name, rule) => (rule ? name.replace(rule[0], rule[1]) : name), key);
}

/** Our name of a tensor of Wan2.1's autoencoder. */
export const fromWanKey = (key: string): string => renamed(key, [places, parts]);

/** Our name of a tensor of the same network in diffusers, whose class is `AutoencoderKLWan`. */
export const fromDiffusersKey = (key: string, { decoderBlocks }: Pick<VaeConfig, "decoderBlocks">): string =>
  renamed(flatPlace(key, decoderBlocks), [diffusersPlaces, diffusersParts]);

/** Blocks of blocks → one row: an up block has its residual blocks, then where there is one its upsampler. */
function flatPlace(key: string, decoderBlocks: number): string {
  return key.replace(
    /^decoder\.up_blocks\.(\d+)\.(resnets|upsamplers)\.(\d+)\./,
    (_, level: string, kind: string, index: string) => {
      const within = kind === "resnets" ? Number(index) : decoderBlocks;
      return `decoder.layers.${Number(level) * (decoderBlocks + 1) + within}.`;
    },
  );
}

interface Shaped {
  readonly shape: readonly number[];
}

/**
 * Wan2.1's state dict under our names and in our shapes: norm gains are [C] (theirs [C, 1, 1, 1]), and the 2D convolutions
 * of resampling and attention are 3D ones over a single frame.
 *
 * @param state tensors under upstream's names
 * @param targets the model's own tensors
 * @param toOurs our name of an upstream key; Wan's own names by default
 * @returns the tensors and the shapes they take in the model
 * @throws CheckpointError when names or sizes do not fit
 */
export function fromWanState<T extends Shaped>(
  state: Readonly<Record<string, T>>,
  targets: Readonly<Record<string, Shaped>>,
  toOurs: (key: string) => string = fromWanKey,
): Record<string, Shaped & { readonly value: T }> {
  const ours: Record<string, Shaped & { readonly value: T }> = {};
  for (const [key, value] of Object.entries(state)) {
    const name = toOurs(key);
    const target = targets[name];
    if (!target || sizeOf(target) !== sizeOf(value)) {
      const wanted = target ? `hold [${target.shape.join(", ")}]` : "be a tensor of this model";
      throw new CheckpointError(`wan vae: "${key}" must ${wanted}, got [${value.shape.join(", ")}]; check the config`);
    }
    if (name in ours) throw new CheckpointError(`wan vae: "${key}" must be the only tensor for ${name}`);
    ours[name] = { shape: target.shape, value };
  }
  const missing = Object.keys(targets).filter((name) => !(name in ours));
  if (missing.length > 0)
    throw new CheckpointError(`wan vae: ${missing.length} tensors are missing, such as ${missing[0]}`);
  return ours;
}

function sizeOf({ shape }: Shaped): number {
  return shape.reduce((n, size) => n * size, 1);
}
