import { arrayType, WORD_BYTES } from "../base/dtype.ts";
import { Tensor } from "../tensor/tensor.ts";
import { checkpointError, quote } from "./checkpoint-error.ts";
import { uploadTensor } from "./device-tensor.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import type { ByteInput } from "./open-source.ts";
import { streamSafetensors, type TensorSource, type WriteOptions } from "./safetensors-writer.ts";
import type { StoredTensor } from "./stored-tensor.ts";
import type { UrlOptions } from "./url-source.ts";

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

export interface LoadOptions extends UrlOptions {
  /** Whether names must agree exactly; else tensors without a partner are left alone. Shapes must always agree. Default true. */
  readonly strict?: boolean;
}

/** What a load found; both lists are empty when it was strict. */
export interface LoadResult {
  /** Text beside the tensors; see `Checkpoint`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Parameters the checkpoint lacks: they keep their values. */
  readonly missing: readonly string[];
  /** Tensors of the checkpoint that the module lacks. */
  readonly unexpected: readonly string[];
}

// Parameters go to the module in groups of this size, so that arrays of a large checkpoint are never in memory whole.
const GROUP_BYTES = 64 << 20;

/**
 * Loads a checkpoint into a module. Names and shapes are compared before anything is read; values are converted to the type of
 * the parameter. Parameters that are tensors get theirs on the device, piece by piece: host memory stays at a few MiB.
 *
 * @param input an open checkpoint stays open
 * @throws CheckpointError when they do not fit: the module is untouched; or when reading fails on the way
 */
export async function loadState(
  module: Loadable,
  input: ByteInput | Checkpoint,
  options: LoadOptions = {},
): Promise<LoadResult> {
  const { strict = true, ...urlOptions } = options;
  const isOpen = typeof input === "object" && "tensors" in input;
  const checkpoint = isOpen ? input : await openCheckpoint(input, urlOptions);
  try {
    const { tensors, metadata } = checkpoint;
    const parameters = new Map(module.namedParameters());
    const fits = [...parameters].filter(([name]) => name in tensors);
    const missing = [...parameters.keys()].filter((name) => !(name in tensors));
    const unexpected = Object.keys(tensors).filter((name) => !parameters.has(name));
    if (strict) checkNames(missing, unexpected, parameters.size);
    checkShapes(fits, tensors);

    let group: Record<string, LoadedValue> = Object.create(null);
    let shared = new Map<StoredTensor, { readonly parameter: TensorSource; readonly value: LoadedValue }>();
    let bytes = 0;
    const flush = async () => {
      await module.loadStateDict(group, { strict: false });
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
    return { metadata, missing, unexpected };
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

const NAMED = 5;

function list(names: readonly string[]): string {
  const shown = names.slice(0, NAMED).map(quote).join(", ");
  return names.length > NAMED ? `${shown} and ${names.length - NAMED} more` : shown;
}

function checkNames(missing: readonly string[], unexpected: readonly string[], parameters: number): void {
  if (missing.length === 0 && unexpected.length === 0) return;
  const parts: string[] = [];
  if (missing.length > 0) parts.push(`${missing.length} missing (${list(missing)})`);
  if (unexpected.length > 0) parts.push(`${unexpected.length} unexpected (${list(unexpected)})`);
  throw checkpointError({
    source: "loadState",
    rule: `the checkpoint must hold the module's ${parameters} parameters`,
    got: parts.join(" and "),
    remedy: "build the module with the checkpoint's config, or load with strict: false",
  });
}

function checkShapes(
  parameters: readonly (readonly [string, TensorSource])[],
  tensors: Readonly<Record<string, StoredTensor>>,
): void {
  for (const [name, { shape }] of parameters) {
    const stored = tensors[name]?.shape ?? [];
    if (stored.length === shape.length && stored.every((size, axis) => size === shape[axis])) continue;
    throw checkpointError({
      source: "loadState",
      rule: `tensor ${quote(name)} must have the parameter's shape [${shape.join(", ")}]`,
      got: `[${stored.join(", ")}]`,
      remedy: "build the module with the checkpoint's config",
    });
  }
}
