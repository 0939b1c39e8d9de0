import { arrayType, WORD_BYTES } from "../base/dtype.ts";
import { Tensor } from "../tensor/tensor.ts";
import { checkpointError, quote } from "./checkpoint-error.ts";
import { uploadTensor } from "./device-tensor.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { checkMatch, compareShapes, type KeyMismatch } from "./key-mismatch.ts";
import { openCheckpoint, type OpenOptions } from "./open-checkpoint.ts";
import type { ByteInput } from "./open-source.ts";
import { streamSafetensors, type TensorSource, type WriteOptions } from "./safetensors-writer.ts";
import { isFloating } from "./stored-dtype.ts";
import type { StoredTensor } from "./stored-tensor.ts";

/** What can be saved: a module, or any record of tensors as `{ namedParameters: () => Object.entries(record) }`. */
export interface Saveable {
  /** The tensors with their names in the file. */
  namedParameters(): Iterable<readonly [string, TensorSource]>;
}

/** Values for a parameter: a tensor on the device for one that is a `Tensor`, else an array. */
export type LoadedValue =
  | Tensor
  | {
      /** Sizes of the axes. */
      readonly shape: readonly number[];
      /** As many values, in row-major order. */
      readonly data: Float32Array | Int32Array | Uint32Array | Uint8Array;
    };

/** What can be loaded into: a `Module`, for instance. */
export interface Loadable extends Saveable {
  /** Takes values by name, several times for a large checkpoint; names that are not given keep theirs. */
  loadStateDict(state: Record<string, LoadedValue>, options: { readonly strict: false }): unknown;
}

export interface LoadOptions extends OpenOptions {
  /** Loads what fits and leaves the rest of the module and of the checkpoint alone. Default false: nothing loads unless all fits. */
  readonly partial?: boolean;
  /** Reads all values first and refuses NaN and infinities. Default false. */
  readonly checkFinite?: boolean;
}

/** What a load found, with the names that it left alone: none unless it was partial. */
export interface LoadResult extends KeyMismatch {
  /** Text beside the tensors; see `Checkpoint`. */
  readonly metadata: Readonly<Record<string, string>>;
}

// Parameters go to the module in groups of this size, so that arrays of a large checkpoint are never in memory whole.
const GROUP_BYTES = 64 << 20;

/**
 * Loads a checkpoint into a module. Names and shapes are compared before anything is read; values are converted to the type of
 * the parameter. Parameters that are tensors get theirs on the device, piece by piece: host memory stays at a few MiB.
 *
 * @param input an open checkpoint stays open
 * @param onGroup is told of parameters that have just been loaded, some 64 MiB at a time, and waited for
 * @throws CheckpointError when they do not fit: the module is untouched; or when reading fails on the way
 */
export async function loadState(
  module: Loadable,
  input: ByteInput | Checkpoint,
  options: LoadOptions = {},
  onGroup: (names: readonly string[]) => Promise<unknown> = () => Promise.resolve(),
): Promise<LoadResult> {
  const { partial = false, checkFinite = false, ...openOptions } = options;
  const isOpen = typeof input === "object" && "tensors" in input;
  const checkpoint = isOpen ? input : await openCheckpoint(input, openOptions);
  try {
    const { tensors, metadata } = checkpoint;
    const parameters = new Map(module.namedParameters());
    const mismatch = compareShapes(Object.fromEntries(parameters), tensors);
    if (!partial) checkMatch("loadState", mismatch, `the module's ${parameters.size} tensors`);
    const misshaped = new Set(mismatch.misshaped.map(({ name }) => name));
    const fits = [...parameters].filter(([name]) => name in tensors && !misshaped.has(name));
    if (checkFinite) for (const [name] of fits) await checkValues(name, tensors[name]);

    let group: Record<string, LoadedValue> = Object.create(null);
    let shared = new Map<StoredTensor, { readonly parameter: TensorSource; readonly value: LoadedValue }>();
    let bytes = 0;
    const flush = async () => {
      await module.loadStateDict(group, { strict: false });
      await onGroup(Object.keys(group));
      group = Object.create(null);
      shared = new Map();
      bytes = 0;
    };
    for (const [name, parameter] of fits) {
      const tensor = tensors[name];
      if (tensor === undefined) continue;
      // Tied weights have several names in a module and in some files.
      const before = shared.get(tensor);
      const value = before?.parameter === parameter ? before.value : await load(tensor, parameter);
      shared.set(tensor, { parameter, value });
      group[name] = value;
      bytes += tensor.shape.reduce((product, size) => product * size, WORD_BYTES);
      if (bytes >= GROUP_BYTES) await flush();
    }
    if (Object.keys(group).length > 0) await flush();
    return { metadata, ...mismatch };
  } finally {
    if (!isOpen) await checkpoint.close();
  }
}

async function load(tensor: StoredTensor, parameter: TensorSource): Promise<LoadedValue> {
  if (parameter instanceof Tensor) return uploadTensor(tensor, parameter.dtype);
  const { shape } = tensor;
  return { shape, data: await tensor.data(arrayType(parameter.dtype)) };
}

/**
 * A module's parameters as a safetensors file in memory.
 *
 * @throws CheckpointError when a value cannot be stored as asked
 */
export async function saveState(module: Saveable, options: WriteOptions = {}): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of streamSafetensors(module.namedParameters(), options)) pieces.push(piece);
  const file = new Uint8Array(pieces.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const piece of pieces) {
    file.set(piece, at);
    at += piece.length;
  }
  return file;
}

/**
 * Saves a module's parameters to a file (Node only), one tensor in memory at a time. The file is replaced in one step: after a
 * failure, or a kill at any moment, the path holds the old file or the new one, whole.
 *
 * @throws CheckpointError when a value cannot be stored as asked or the disk refuses
 */
export async function writeCheckpoint(path: string | URL, module: Saveable, options: WriteOptions = {}): Promise<void> {
  const { writeFileAtomic } = await import("./file.node.ts");
  await writeFileAtomic(path, streamSafetensors(module.namedParameters(), options));
}

/** @throws CheckpointError at the first NaN or infinity */
async function checkValues(name: string, tensor: StoredTensor | undefined): Promise<void> {
  if (!tensor || !isFloating(tensor.dtype)) return;
  let at = 0;
  for await (const values of tensor.pieces("f32")) {
    const found = values.findIndex((value) => !Number.isFinite(value));
    if (found >= 0)
      throw checkpointError({
        source: "loadState",
        rule: `tensor ${quote(name)} must hold finite numbers`,
        got: `${values[found]} at ${at + found}`,
        remedy: "use another checkpoint: this one was saved after its training had failed, or is damaged",
      });
    at += values.length;
  }
}
