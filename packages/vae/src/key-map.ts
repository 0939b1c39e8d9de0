import { CheckpointError } from "@omni/core";

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

/** Our name of a tensor of Wan2.1's autoencoder. */
export function fromWanKey(key: string): string {
  const [place, part] = [places, parts].map((rules) => rules.find(([pattern]) => pattern.test(key)));
  return [place, part].reduce((name, rule) => (rule ? name.replace(rule[0], rule[1]) : name), key);
}

interface Shaped {
  readonly shape: readonly number[];
}

/**
 * Wan2.1's state dict under our names and in our shapes: norm gains are [C] (theirs [C, 1, 1, 1]), and the 2D convolutions
 * of resampling and attention are 3D ones over a single frame.
 *
 * @param state tensors under Wan's names
 * @param targets the model's own tensors
 * @returns the tensors and the shapes they take in the model
 * @throws CheckpointError when names or sizes do not fit
 */
export function fromWanState<T extends Shaped>(
  state: Readonly<Record<string, T>>,
  targets: Readonly<Record<string, Shaped>>,
): Record<string, Shaped & { readonly value: T }> {
  const ours: Record<string, Shaped & { readonly value: T }> = {};
  for (const [key, value] of Object.entries(state)) {
    const name = fromWanKey(key);
    const target = targets[name];
    if (!target || sizeOf(target) !== sizeOf(value)) {
      const wanted = target ? `hold [${target.shape.join(", ")}]` : "be a tensor of this model";
      throw new CheckpointError(`wan vae: "${key}" must ${wanted}, got [${value.shape.join(", ")}]; check the config`);
    }
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
