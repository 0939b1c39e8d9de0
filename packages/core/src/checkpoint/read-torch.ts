import { type ByteSource, readExactly, toSource } from "./byte-source.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { checkpointError, quote } from "./checkpoint-error.ts";
import { recognise } from "./recognise.ts";
import type { TorchTensor } from "./pickle-value.ts";
import { shapeBytes } from "./safetensors-header.ts";
import { storedFormat } from "./stored-dtype.ts";
import { storedTensor, type StoredTensor } from "./stored-tensor.ts";
import { gather, isRowMajor, refusedOverlap, type StridedView } from "./strided.ts";
import type { TorchFile } from "./torch-file.ts";
import { openTorchLegacy } from "./torch-legacy.ts";
import { nameContents } from "./torch-names.ts";
import { openTorchZip } from "./torch-zip.ts";

/**
 * Opens a file of torch.save (.pth, .pt, .bin, .ckpt), of either layout, without running any of it: its pickle may hold tensors,
 * containers and plain values, and anything else is refused by name.
 *
 * Tensors are named by their paths (see `nameContents`), plain values become the metadata. Names that stand for one view of one
 * storage, such as tied weights, give the same `StoredTensor`. Views that do not lie in row-major order are put in it when read.
 *
 * ```ts
 * const { tensors } = await readTorch(file);
 * const weight = await tensors["state_dict.conv.weight"]?.data("f32");
 * ```
 *
 * @throws CheckpointError when the file breaks a rule of the format or holds other Python objects
 */
export async function readTorch(input: Uint8Array | Blob | ByteSource): Promise<Checkpoint> {
  const source = toSource(input);
  const zip = (await recognise(source)) === "zip";
  const file = await (zip ? openTorchZip(source) : openTorchLegacy(source));
  const contents = nameContents(file.root, (rule, got, remedy = "save it again") => {
    throw checkpointError({ source: source.name, rule, got, remedy });
  });
  const tensors: Record<string, StoredTensor> = Object.create(null);
  const shared = new Map<string, StoredTensor>();
  for (const [name, tensor] of Object.entries(contents.tensors)) {
    const view = viewKey(tensor);
    const stored = shared.get(view) ?? torchTensor(source, file, name, tensor);
    shared.set(view, stored);
    tensors[name] = stored;
  }
  return { tensors, metadata: contents.metadata, close: () => source.close() };
}

/** Equal for equal views. The key of a storage comes last: it may hold any character. */
function viewKey({ storage, dtype, offset, shape, strides }: TorchTensor): string {
  return `${dtype} ${offset} [${shape.join()}] [${strides.join()}] ${storage.begin} ${storage.key}`;
}

function torchTensor(source: ByteSource, file: TorchFile, name: string, tensor: TorchTensor): StoredTensor {
  const { storage, dtype, offset, shape, strides } = tensor;
  const view: StridedView = { itemBytes: storedFormat(dtype).itemBytes, offset, shape, strides };
  const bytes = shapeBytes(dtype, shape) ?? Number.POSITIVE_INFINITY;
  const overlap = bytes === 0 ? undefined : refusedOverlap(view, bytes, storage.bytes);
  if (overlap !== undefined)
    throw checkpointError({
      source: source.name,
      rule: `tensor ${quote(name)} must hold little more than its storage`,
      got: overlap,
      remedy: "save its .contiguous() copy",
    });

  const open = async () => {
    const begin = (await file.locate(storage.key)) + storage.begin;
    const read = (at: number, length: number) => readExactly(source, begin + at, length);
    if (isRowMajor(view)) return (at: number, length: number) => read(offset * view.itemBytes + at, length);
    const dense = await gather(view, bytes, read);
    return async (at: number, length: number) => dense.subarray(at, at + length);
  };
  return storedTensor({ source: source.name, name, dtype, shape, bytes, open });
}
