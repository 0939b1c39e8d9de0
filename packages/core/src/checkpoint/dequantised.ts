import { sizeOf } from "../base/shape.ts";
import { checkpointError, quote } from "./checkpoint-error.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { widened } from "./stored-view.ts";
import type { StoredTensor } from "./stored-tensor.ts";

/** What follows a tensor's name in that of its scales, as in compressed-tensors' files: `proj.weight`, `proj.weight_scale`. */
export const SCALE_SUFFIX = "_scale";

const QUANTISED: ReadonlySet<string> = new Set(["I8", "F8_E4M3", "F8_E5M2"]);
/** Schemes with more than a scale a row. */
const FOREIGN = /^(.*)_(?:zero_point|scale_inv|g_idx|shape|packed)$/;

/** The names that scales of `name` may have; the second is ComfyUI's. */
const scaleNames = (name: string): readonly string[] => [
  name + SCALE_SUFFIX,
  ...(name.endsWith(".weight") ? [`${name.slice(0, -".weight".length)}.scale_weight`] : []),
];

/**
 * A checkpoint whose quantised tensors give the numbers that they stand for: an int8 or fp8 tensor with a tensor of scales beside it,
 * `NAME_scale` of one value or one a row, becomes w = scale · q as F32, computed as it is read.
 *
 * @throws CheckpointError for int8 or fp8 that is quantised in another way
 * @see compressed-tensors, "int-quantized" and "float-quantized"
 */
export function dequantised(checkpoint: Checkpoint): Checkpoint {
  const { tensors, metadata } = checkpoint;
  if (!Object.values(tensors).some(({ dtype }) => QUANTISED.has(dtype))) return checkpoint;
  const used = new Set<string>();
  const plain: Record<string, StoredTensor> = Object.create(null);
  for (const [name, tensor] of Object.entries(tensors)) {
    if (!QUANTISED.has(tensor.dtype)) continue;
    const scaleName = scaleNames(name).find((candidate) => candidate in tensors);
    const scales = scaleName === undefined ? undefined : tensors[scaleName];
    if (scaleName === undefined || !scales) continue;
    plain[name] = scaled(tensor, scales, name, scaleName);
    used.add(scaleName);
  }
  const foreign = Object.keys(tensors).find((name) => {
    const [, base = ""] = FOREIGN.exec(name) ?? [];
    return QUANTISED.has(tensors[base]?.dtype ?? "");
  });
  if (foreign !== undefined)
    throw checkpointError({
      source: "checkpoint",
      rule: "int8 and fp8 weights must have one scale, or one a row",
      got: `another scheme, with ${quote(foreign)}`,
      remedy: "use a file in f16, bf16 or f32",
    });
  if (used.size === 0) return checkpoint;
  // ComfyUI's mark of a file with scales, and scales of activations, which are not quantised here
  const isMark = (name: string): boolean => name === "scaled_fp8" || /\.(?:scale_input|input_scale)$/.test(name);
  const kept = Object.entries(tensors).filter(([name]) => !used.has(name) && !isMark(name));
  const record: Record<string, StoredTensor> = Object.create(null);
  for (const [name, tensor] of kept) record[name] = plain[name] ?? tensor;
  return { tensors: record, metadata, close: () => checkpoint.close() };
}

function scaled(tensor: StoredTensor, scales: StoredTensor, name: string, scaleName: string): StoredTensor {
  const [rowCount = 1] = tensor.shape;
  const count = sizeOf(scales.shape);
  if (count !== 1 && (count !== rowCount || scales.shape.slice(1).some((size) => size !== 1)))
    throw checkpointError({
      source: "checkpoint",
      rule: `tensor ${quote(scaleName)} must have one value or ${rowCount}, one a row of ${quote(name)}`,
      got: `[${scales.shape.join(", ")}]`,
      remedy: "use a file in f16, bf16 or f32",
    });
  const rowLength = count === 1 ? Number.POSITIVE_INFINITY : sizeOf(tensor.shape) / rowCount;
  let factors: Promise<Float32Array> | undefined;
  const numbers = widened(tensor, async (begin, length) => {
    const [values, scale] = await Promise.all([tensor.range("f32", begin, length), (factors ??= scales.data("f32"))]);
    for (let i = 0; i < length; i++)
      values[i] = (values[i] ?? 0) * (scale[count === 1 ? 0 : Math.floor((begin + i) / rowLength)] ?? 0);
    return values;
  });
  return { ...numbers, int8: tensor.dtype === "I8" };
}
