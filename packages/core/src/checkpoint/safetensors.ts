import { type ByteSource, readExactly, toSource } from "./byte-source.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { headerLength, LENGTH_BYTES, parseHeader } from "./safetensors-header.ts";
import { storedTensor, type StoredTensor } from "./stored-tensor.ts";

/**
 * Opens a safetensors file: reads and checks its header only. Hostile files are refused without more memory than a small multiple
 * of their header.
 *
 * ```ts
 * const { tensors } = await readSafetensors(file);
 * const weight = await tensors["proj.weight"]?.data("f32");
 * ```
 *
 * @throws CheckpointError when the file breaks a rule of the format
 * @see https://github.com/huggingface/safetensors#format
 */
export async function readSafetensors(input: Uint8Array | Blob | ByteSource): Promise<Checkpoint> {
  const source = toSource(input);
  const start = await readExactly(source, 0, Math.min(LENGTH_BYTES, source.size));
  const length = headerLength(start, source.size, source.name);
  const dataStart = LENGTH_BYTES + length;
  const header = parseHeader(await readExactly(source, LENGTH_BYTES, length), source.size - dataStart, source.name);
  const tensors: Record<string, StoredTensor> = Object.create(null);
  for (const { name, dtype, shape, begin, end } of header.entries) {
    const read = (at: number, length: number) => readExactly(source, dataStart + begin + at, length);
    const open = async () => read;
    tensors[name] = storedTensor({ source: source.name, name, dtype, shape, bytes: end - begin, open });
  }
  return { tensors, metadata: header.metadata, close: () => source.close() };
}
