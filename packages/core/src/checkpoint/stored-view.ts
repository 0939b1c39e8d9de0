import { sizeOf } from "../base/shape.ts";
import { type StoredDType, storedFormat } from "./stored-dtype.ts";
import { storedTensor, type StoredTensor } from "./stored-tensor.ts";

/** A view of stored tensors as one. */
export interface StoredView {
  /** The view's name, for messages. */
  readonly name: string;
  /** Sizes of the axes; it has as many elements as the view. */
  readonly shape: readonly number[];
  /** Row of the part for a row of the view, where they are in another order. Only of one part. */
  readonly rowOf?: (row: number) => number;
  /** Rows that `rowOf` counts. */
  readonly rows?: number;
}

const SOURCE = "checkpoint";

/** Bytes of a tensor's elements as stored. */
export function storedSize({ dtype, shape }: Pick<StoredTensor, "dtype" | "shape">): number {
  return sizeOf(shape) * storedFormat(dtype).itemBytes;
}

/**
 * The elements of several tensors one after another, as one tensor of another shape, or those of one tensor with its rows in another order.
 * Nothing is read before the view is, and then piece by piece. Parts of different types become F32.
 */
export function joinedView(parts: readonly StoredTensor[], { name, shape, rowOf, rows = 1 }: StoredView): StoredTensor {
  const [first] = parts;
  const dtype = parts.every((part) => part.dtype === first?.dtype) ? (first?.dtype ?? "F32") : "F32";
  const same = parts.map((part) => (part.dtype === dtype ? part : widened(part)));
  const bytes = sizeOf(shape) * storedFormat(dtype).itemBytes;
  const open: StoredTensor["open"] = async () => {
    const read = await openJoined(same);
    return rowOf ? permuted(read, bytes / rows, rowOf) : read;
  };
  const int8 = parts.length > 0 && parts.every((part) => part.int8 === true);
  return { ...storedTensor({ source: SOURCE, name, dtype, shape, bytes, open }), int8 };
}

/** `shape`'s worth of a tensor's elements from element `begin` on. */
export function slicedView(tensor: StoredTensor, begin: number, { name, shape }: StoredView): StoredTensor {
  const { itemBytes } = storedFormat(tensor.dtype);
  const open: StoredTensor["open"] = async () => {
    const read = await tensor.open();
    return (at, length) => read(begin * itemBytes + at, length);
  };
  const { dtype } = tensor;
  return storedTensor({ source: SOURCE, name, dtype, shape, bytes: sizeOf(shape) * itemBytes, open });
}

/** The same values as F32, or as `values` gives them for a run of elements. */
export function widened(
  tensor: StoredTensor,
  values: (begin: number, count: number) => Promise<Float32Array> = (begin, count) => tensor.range("f32", begin, count),
): StoredTensor {
  const { shape } = tensor;
  const dtype: StoredDType = "F32";
  const item = storedFormat(dtype).itemBytes;
  const open: StoredTensor["open"] = async () => async (begin, length) => {
    // whole elements around the bytes asked for
    const first = Math.floor(begin / item);
    const run = await values(first, Math.ceil((begin + length) / item) - first);
    const from = run.byteOffset + begin - first * item;
    return new Uint8Array(run.buffer, from, length);
  };
  return storedTensor({ source: SOURCE, name: "a converted tensor", dtype, shape, bytes: sizeOf(shape) * item, open });
}

type Read = Awaited<ReturnType<StoredTensor["open"]>>;

async function openJoined(parts: readonly StoredTensor[]): Promise<Read> {
  const opened: Read[] = [];
  const sizes = parts.map(storedSize);
  return async (begin, length) => {
    const out = new Uint8Array(length);
    let partBegin = 0;
    for (const [i, part] of parts.entries()) {
      const size = sizes[i] ?? 0;
      const from = Math.max(begin, partBegin);
      const to = Math.min(begin + length, partBegin + size);
      if (from < to) {
        const read = (opened[i] ??= await part.open());
        const bytes = await read(from - partBegin, to - from);
        if (bytes.length === length) return bytes;
        out.set(bytes, from - begin);
      }
      partBegin += size;
    }
    return out;
  };
}

function permuted(read: Read, rowBytes: number, rowOf: (row: number) => number): Read {
  return async (begin, length) => {
    const out = new Uint8Array(length);
    for (let at = begin; at < begin + length;) {
      const row = Math.floor(at / rowBytes);
      const within = at - row * rowBytes;
      const count = Math.min(rowBytes - within, begin + length - at);
      out.set(await read(rowOf(row) * rowBytes + within, count), at - begin);
      at += count;
    }
    return out;
  };
}
