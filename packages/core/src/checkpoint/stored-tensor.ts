import { checkpointError, quote } from "./checkpoint-error.ts";
import { type StoredArray, type StoredDType, storedFormat, storedView } from "./stored-dtype.ts";

/** The arrays tensors are computed from, by the names of their element types. */
export interface NumericArrays {
  /** Floats of 32 bits. */
  readonly f32: Float32Array;
  /** Integers of 32 bits with a sign. */
  readonly i32: Int32Array;
  /** Integers of 32 bits without a sign. */
  readonly u32: Uint32Array;
  /** Bytes. */
  readonly u8: Uint8Array;
}

/** A tensor of an open checkpoint. Nothing is read before it is asked for, and nothing is kept. */
export interface StoredTensor {
  /** Element type in the file. */
  readonly dtype: StoredDType;
  /** Sizes of the axes. */
  readonly shape: readonly number[];
  /** Whether the values are scaled 8-bit whole numbers in the file, read as what they stand for. Default false. */
  readonly int8?: boolean;
  /**
   * The values in row-major order, C64 as (re, im) pairs: floats as f32 rounded to nearest, U32 and U64 as u32, other integers as
   * i32 and BOOL as 0 or 1, unless `as` asks otherwise.
   *
   * @throws CheckpointError when a value does not fit, when floats are asked for as integers, or when reading fails
   */
  data(): Promise<NumericArrays[keyof NumericArrays]>;
  /**
   * The values as the type asked for.
   *
   * @throws CheckpointError as above
   */
  data<K extends keyof NumericArrays>(as: K): Promise<NumericArrays[K]>;
  /**
   * The values of `data(as)` one piece after another, each of at most 4 MiB as stored: a tensor of any size costs the memory of
   * one. A tensor that does not lie in the file in row-major order is gathered whole first, as stored.
   *
   * @throws CheckpointError as `data`, while it is iterated
   */
  pieces<K extends keyof NumericArrays>(as: K): AsyncGenerator<NumericArrays[K]>;
  /**
   * `count` values of `data(as)` from the one at `begin` on: a table's rows, without the table.
   *
   * @throws CheckpointError as `data`, or when they are not all there
   */
  range<K extends keyof NumericArrays>(as: K, begin: number, count: number): Promise<NumericArrays[K]>;
  /** The elements as they are stored, bit for bit: halves and 8-bit floats as unsigned integers, 64-bit integers as bigints. */
  stored(): Promise<StoredArray>;
  /**
   * Opens the elements as they are stored for one pass: gives `length` bytes from byte `begin` on, in row-major order.
   *
   * @throws CheckpointError when reading fails
   */
  open(): Promise<(begin: number, length: number) => Promise<Uint8Array>>;
}

/** Where a tensor's elements come from. */
export interface StoredBytes {
  /** The file as the user knows it, for messages. */
  readonly source: string;
  readonly name: string;
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
  /** Bytes of all elements. */
  readonly bytes: number;
  /** See `StoredTensor.open`. */
  readonly open: StoredTensor["open"];
}

// Tensors are read and converted in pieces, so that no second copy of a large one is held.
const PIECE_BYTES = 4 << 20;

const NUMERIC_ARRAYS = { f32: Float32Array, i32: Int32Array, u32: Uint32Array, u8: Uint8Array } as const;
const INTEGER_RANGES = { i32: [-(2 ** 31), 2 ** 31 - 1], u32: [0, 2 ** 32 - 1], u8: [0, 255] } as const;

/** A tensor over bytes that can be had. */
export function storedTensor({ source, name, dtype, shape, bytes, open }: StoredBytes): StoredTensor {
  const { array, natural, integer, widen } = storedFormat(dtype);
  const values = bytes / array.BYTES_PER_ELEMENT;

  const fail = (rule: string, got: string, remedy: string): never => {
    throw checkpointError({ source, rule: `tensor ${quote(name)} ${rule}`, got, remedy });
  };

  const allocate = <T>(make: () => T): T => {
    try {
      return make();
    } catch {
      return fail("must fit in memory", `${bytes} bytes`, "split it when saving, or free memory");
    }
  };

  /** Each piece as stored, with the index of its first value. */
  async function* storedPieces(): AsyncGenerator<readonly [StoredArray, number]> {
    if (bytes === 0) return;
    const read = await open();
    for (let done = 0; done < bytes; done += PIECE_BYTES) {
      const piece = await read(done, Math.min(PIECE_BYTES, bytes - done));
      yield [storedView(dtype, piece), done / array.BYTES_PER_ELEMENT];
    }
  }

  /** Writes the values of a piece into `out` from index `at`. */
  const convert = (
    piece: StoredArray,
    as: keyof NumericArrays,
    out: NumericArrays[keyof NumericArrays],
    at: number,
  ) => {
    if (out instanceof Float32Array) return widen(piece, out, at);
    if (piece instanceof Int32Array && out instanceof Int32Array) return out.set(piece, at);
    const [least, greatest] = INTEGER_RANGES[as === "f32" ? "i32" : as];
    for (let i = 0; i < piece.length; i++) {
      const value = piece[i] ?? 0;
      if (value < least || value > greatest)
        fail(`must hold integers from ${least} to ${greatest} to be read as ${as}`, `${value}`, "read it stored()");
      out[at + i] = dtype === "BOOL" ? Number(value !== 0) : Number(value);
    }
  };

  const checkType = (as: keyof NumericArrays) => {
    if (as !== "f32" && !integer) fail(`must hold integers to be read as ${as}`, dtype, "read it as f32");
  };

  async function data<K extends keyof NumericArrays>(as: K): Promise<NumericArrays[K]>;
  async function data(as?: keyof NumericArrays): Promise<NumericArrays[keyof NumericArrays]>;
  async function data(as: keyof NumericArrays = natural): Promise<NumericArrays[keyof NumericArrays]> {
    checkType(as);
    const out = allocate(() => new NUMERIC_ARRAYS[as](values));
    for await (const [piece, at] of storedPieces()) convert(piece, as, out, at);
    return out;
  }

  function pieces<K extends keyof NumericArrays>(as: K): AsyncGenerator<NumericArrays[K]>;
  async function* pieces(as: keyof NumericArrays): AsyncGenerator<NumericArrays[keyof NumericArrays]> {
    checkType(as);
    for await (const [piece] of storedPieces()) {
      const out = new NUMERIC_ARRAYS[as](piece.length);
      convert(piece, as, out, 0);
      yield out;
    }
  }

  async function range<K extends keyof NumericArrays>(as: K, begin: number, count: number): Promise<NumericArrays[K]>;
  async function range(
    as: keyof NumericArrays,
    begin: number,
    count: number,
  ): Promise<NumericArrays[keyof NumericArrays]> {
    checkType(as);
    if (![begin, count].every((n) => Number.isInteger(n) && n >= 0) || begin + count > values)
      fail(`must have the values asked for, of ${values}`, `${count} from ${begin} on`, "ask for fewer");
    const out = new NUMERIC_ARRAYS[as](count);
    if (count === 0) return out;
    const read = await open();
    const size = array.BYTES_PER_ELEMENT;
    convert(storedView(dtype, await read(begin * size, count * size)), as, out, 0);
    return out;
  }

  const stored = async (): Promise<StoredArray> => {
    const out = allocate(() => new Uint8Array(bytes));
    for await (const [piece, at] of storedPieces())
      out.set(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength), at * array.BYTES_PER_ELEMENT);
    return storedView(dtype, out);
  };

  return { dtype, shape, data, pieces, range, stored, open };
}
