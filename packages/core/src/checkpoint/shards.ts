import { sizeOf } from "../base/shape.ts";
import type { StoredSource } from "./safetensors-writer.ts";
import { storedItemBytes } from "./stored-dtype.ts";

/** One file of a checkpoint of several. */
export interface Shard {
  /** File name in the index's folder. */
  readonly file: string;
  /** Names of its tensors. */
  readonly names: readonly string[];
  /** Bytes of their elements. */
  readonly bytes: number;
}

/** Bytes of a tensor in a file. */
const bytesOf = ({ dtype, shape }: StoredSource): number => sizeOf(shape) * storedItemBytes(dtype);

/**
 * Cuts a checkpoint into files of at most `maxBytes` of elements, in the order of the tensors; one that is larger has a file of its own.
 *
 * @param base file name without `.safetensors`
 * @returns one file `BASE.safetensors`, or `BASE-00001-of-0000N.safetensors`, …
 */
export function planShards(
  tensors: ReadonlyMap<string, StoredSource>,
  base: string,
  maxBytes: number = Number.POSITIVE_INFINITY,
): readonly Shard[] {
  const groups: { names: string[]; bytes: number }[] = [];
  for (const [name, tensor] of tensors) {
    const bytes = bytesOf(tensor);
    let last = groups.at(-1);
    if (last === undefined || (last.names.length > 0 && last.bytes + bytes > maxBytes)) {
      last = { names: [], bytes: 0 };
      groups.push(last);
    }
    last.names.push(name);
    last.bytes += bytes;
  }
  if (groups.length === 0) groups.push({ names: [], bytes: 0 });
  const number = (n: number): string => String(n).padStart(5, "0");
  return groups.map(({ names, bytes }, i) => ({
    file:
      groups.length === 1 ? `${base}.safetensors` : `${base}-${number(i + 1)}-of-${number(groups.length)}.safetensors`,
    names,
    bytes,
  }));
}
