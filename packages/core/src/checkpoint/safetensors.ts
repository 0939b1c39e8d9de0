import { type ByteSource, blobSource, bytesSource } from "./byte-source.ts";
import { checkpointError, quote } from "./checkpoint-error.ts";
import { headerLength, LENGTH_BYTES, parseHeader, type TensorEntry } from "./safetensors-header.ts";
import { type StoredArray, type StoredDType, storedFormat, storedView } from "./stored-dtype.ts";

/** The arrays tensors are computed from, by the names of their element types. */
export interface NumericArrays {
  readonly f32: Float32Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
}

/** A tensor of an open checkpoint. Nothing is read before it is asked for, and nothing is kept. */
export interface StoredTensor {
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
  /**
   * The values in row-major order, C64 as (re, im) pairs: floats as f32 rounded to nearest, U32 and U64 as u32, other integers as
   * i32 and BOOL as 0 or 1, unless `as` asks otherwise.
   *
   * @throws CheckpointError when a value does not fit, when floats are asked for as integers, or when reading fails
   */
  data(): Promise<Float32Array | Int32Array | Uint32Array>;
  data<K extends keyof NumericArrays>(as: K): Promise<NumericArrays[K]>;
  /** The elements as they are stored, bit for bit: halves and 8-bit floats as unsigned integers, 64-bit integers as bigints. */
  stored(): Promise<StoredArray>;
}

/** An open checkpoint. The records have no prototype: `"__proto__"` and `"constructor"` are names like others. */
export interface Safetensors {
  readonly tensors: Readonly<Record<string, StoredTensor>>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Closes the file behind it. */
  close(): Promise<void>;
}

// Tensors are read and converted in pieces, so that no second copy of a large one is held.
const PIECE_BYTES = 4 << 20;

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
export async function readSafetensors(input: Uint8Array | Blob | ByteSource): Promise<Safetensors> {
  const source = toSource(input);
  const start = await readExactly(source, 0, Math.min(LENGTH_BYTES, source.size));
  const length = headerLength(start, source.size, source.name);
  const dataStart = LENGTH_BYTES + length;
  const header = parseHeader(await readExactly(source, LENGTH_BYTES, length), source.size - dataStart, source.name);
  const tensors: Record<string, StoredTensor> = Object.create(null);
  for (const entry of header.entries) tensors[entry.name] = storedTensor(source, dataStart, entry);
  return { tensors, metadata: header.metadata, close: () => source.close() };
}

/** An in-memory input as a source; a source as it is. */
export function toSource(input: Uint8Array | Blob | ByteSource): ByteSource {
  if (input instanceof Uint8Array) return bytesSource(input);
  return input instanceof Blob ? blobSource(input) : input;
}

/** @throws CheckpointError when a source breaks its promise on lengths */
export async function readExactly(source: ByteSource, offset: number, length: number): Promise<Uint8Array> {
  const bytes = await source.read(offset, length);
  if (bytes.byteLength === length) return bytes;
  throw checkpointError({
    source: source.name,
    rule: `must give the ${length} bytes asked for at ${offset}`,
    got: `${bytes.byteLength}`,
    remedy: "load it again",
  });
}

const NUMERIC_ARRAYS = { f32: Float32Array, i32: Int32Array, u32: Uint32Array } as const;
const INTEGER_RANGES = { i32: [-(2 ** 31), 2 ** 31 - 1], u32: [0, 2 ** 32 - 1] } as const;

function storedTensor(source: ByteSource, dataStart: number, entry: TensorEntry): StoredTensor {
  const { name, dtype, shape } = entry;
  const { array, natural, integer, widen } = storedFormat(dtype);
  const bytes = entry.end - entry.begin;
  const values = bytes / array.BYTES_PER_ELEMENT;

  /** Calls `take` with each piece as stored and the index of its first value. */
  const eachPiece = async (take: (piece: StoredArray, at: number) => void) => {
    for (let done = 0; done < bytes; done += PIECE_BYTES) {
      const piece = await readExactly(source, dataStart + entry.begin + done, Math.min(PIECE_BYTES, bytes - done));
      take(storedView(dtype, piece), done / array.BYTES_PER_ELEMENT);
    }
  };

  const fail = (rule: string, got: string, remedy: string): never => {
    throw checkpointError({ source: source.name, rule: `tensor ${quote(name)} ${rule}`, got, remedy });
  };

  const allocate = <T>(make: () => T): T => {
    try {
      return make();
    } catch {
      return fail("must fit in memory", `${bytes} bytes`, "split it when saving, or free memory");
    }
  };

  async function data<K extends keyof NumericArrays>(as: K): Promise<NumericArrays[K]>;
  async function data(as?: keyof NumericArrays): Promise<Float32Array | Int32Array | Uint32Array>;
  async function data(as: keyof NumericArrays = natural): Promise<Float32Array | Int32Array | Uint32Array> {
    if (as !== "f32" && !integer) fail(`must hold integers to be read as ${as}`, dtype, "read it as f32");
    const out = allocate(() => new NUMERIC_ARRAYS[as](values));
    if (out instanceof Float32Array) await eachPiece((piece, at) => widen(piece, out, at));
    else {
      const [least, greatest] = INTEGER_RANGES[as === "u32" ? "u32" : "i32"];
      await eachPiece((piece, at) => {
        if (piece instanceof Int32Array && out instanceof Int32Array) return out.set(piece, at);
        for (let i = 0; i < piece.length; i++) {
          const value = piece[i] ?? 0;
          if (value < least || value > greatest)
            fail(`must hold integers from ${least} to ${greatest} to be read as ${as}`, `${value}`, "read it stored()");
          out[at + i] = dtype === "BOOL" ? Number(value !== 0) : Number(value);
        }
      });
    }
    return out;
  }

  const stored = async (): Promise<StoredArray> => {
    const out = allocate(() => new Uint8Array(bytes));
    await eachPiece((piece, at) =>
      out.set(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength), at * array.BYTES_PER_ELEMENT),
    );
    return storedView(dtype, out);
  };

  return { dtype, shape, data, stored };
}
