import type { Checkpoint, StoredTensor } from "@omni/core/checkpoint";
import { dequantised, storedItemBytes } from "@omni/core/checkpoint";
import { recogniseFile } from "./networks.ts";

/** Numbers of a tensor's values: of a sample, or of all. */
export interface TensorStatistics {
  /** Values that were read. */
  readonly values: number;
  readonly mean: number;
  readonly std: number;
  readonly min: number;
  readonly max: number;
  /** How many are NaN or infinite; they are left out of the others. */
  readonly notFinite: number;
}

/** One line of an inspection. */
export interface InspectedTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
  /** Null where none were asked for, or there are no numbers. */
  readonly statistics: TensorStatistics | null;
}

/** What a checkpoint holds. */
export interface Inspection {
  /** What network it is of, such as "omni-vae" and "Wan2.1's autoencoder"; null where it is unknown. */
  readonly network: { readonly model: string; readonly layout: string | null; readonly config: unknown } | null;
  /** Why a network that was recognised does not fit; null where it does. */
  readonly problem: string | null;
  readonly tensors: readonly InspectedTensor[];
  readonly values: number;
  readonly bytes: number;
  /** Values by element type. */
  readonly byType: Readonly<Record<string, number>>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** How many values are read: none, a sample a tensor, or all. */
export type Depth = "none" | "sample" | "all";

// runs of values spread over a tensor: neighbours differ less than layers
const RUNS = 8;
const RUN_VALUES = 512;

/** Looks into an open checkpoint as it is stored. @param wanted which tensors are listed and read */
export async function inspectCheckpoint(
  file: Checkpoint,
  { depth, wanted = () => true }: { readonly depth: Depth; readonly wanted?: (name: string) => boolean },
): Promise<Inspection> {
  const sizeOf = ({ shape }: StoredTensor): number => shape.reduce((product, n) => product * n, 1);
  const tensors: InspectedTensor[] = [];
  const byType: Record<string, number> = {};
  let [values, bytes] = [0, 0];
  for (const [name, tensor] of Object.entries(file.tensors)) {
    const size = sizeOf(tensor);
    const stored = size * storedItemBytes(tensor.dtype);
    values += size;
    bytes += stored;
    byType[tensor.dtype] = (byType[tensor.dtype] ?? 0) + size;
    if (!wanted(name)) continue;
    const statistics = depth === "none" || size === 0 ? null : await statisticsOf(tensor, size, depth);
    tensors.push({ name, dtype: tensor.dtype, shape: tensor.shape, bytes: stored, statistics });
  }
  return { ...recognised(file), tensors, values, bytes, byType, metadata: file.metadata };
}

function recognised(file: Checkpoint): Pick<Inspection, "network" | "problem"> {
  try {
    const known = recogniseFile(dequantised(file));
    const network = known && { model: known.model, layout: known.layout?.title ?? null, config: known.config };
    return { network, problem: null };
  } catch (error) {
    return { network: null, problem: error instanceof Error ? error.message : String(error) };
  }
}

async function statisticsOf(
  tensor: StoredTensor,
  size: number,
  depth: "sample" | "all",
): Promise<TensorStatistics | null> {
  return tensor.dtype === "C64" ? null : summary(runs(tensor, size, depth));
}

async function* runs(tensor: StoredTensor, size: number, depth: "sample" | "all"): AsyncGenerator<Float32Array> {
  if (depth === "all" || size <= RUNS * RUN_VALUES) return yield* tensor.pieces("f32");
  for (let run = 0; run < RUNS; run++)
    yield await tensor.range("f32", Math.floor((run * (size - RUN_VALUES)) / (RUNS - 1)), RUN_VALUES);
}

async function summary(pieces: AsyncIterable<Float32Array>): Promise<TensorStatistics> {
  let [count, notFinite, sum, squares] = [0, 0, 0, 0];
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for await (const values of pieces)
    for (const value of values) {
      if (!Number.isFinite(value)) {
        notFinite++;
        continue;
      }
      count++;
      sum += value;
      squares += value * value;
      if (value < min) min = value;
      if (value > max) max = value;
    }
  const mean = count > 0 ? sum / count : Number.NaN;
  const std = Math.sqrt(Math.max(0, squares / count - mean * mean));
  return { values: count + notFinite, mean, std, min, max, notFinite };
}
