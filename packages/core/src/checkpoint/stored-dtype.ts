import { f32BitsFromF16, f8E4M3, f8E8M0, numberForF32 } from "../base/half.ts";

/** A typed array that holds a tensor's elements as stored: half and 8-bit floats as their bits, C64 as (re, im) pairs. */
export type StoredArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

interface StoredArrayConstructor {
  readonly BYTES_PER_ELEMENT: number;
  readonly name: string;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): StoredArray;
}

interface StoredFormat {
  readonly itemBytes: number;
  readonly array: StoredArrayConstructor;
  /** The type a reader gets unless it asks for another; integers of 64 bits are checked to fit. */
  readonly natural: "f32" | "i32" | "u32";
  /** Whether values are integers, so that `i32` and `u32` may be asked for. */
  readonly integer: boolean;
  /** Writes the f32 values, rounded to nearest, of `stored` into `out` from index `at`. Little-endian hosts only. */
  readonly widen: (stored: StoredArray, out: Float32Array, at: number) => void;
}

function widenNumbers(stored: StoredArray, out: Float32Array, at: number): void {
  if (stored instanceof BigInt64Array || stored instanceof BigUint64Array)
    for (const value of stored) out[at++] = numberForF32(value);
  else out.set(stored, at);
}

/** Through bits: NaN payloads survive, and no float is made that an engine might quieten. */
function widenBits(toF32Bits: (word: number) => number): StoredFormat["widen"] {
  return (stored, out, at) => {
    const words = new Uint32Array(out.buffer, out.byteOffset, out.length);
    for (let i = 0; i < stored.length; i++) words[at + i] = toF32Bits(Number(stored[i]));
  };
}

function widenByTable(value: (byte: number) => number): StoredFormat["widen"] {
  const table = Float32Array.from({ length: 256 }, (_, byte) => value(byte));
  return (stored, out, at) => {
    for (let i = 0; i < stored.length; i++) out[at + i] = table[Number(stored[i])] ?? 0;
  };
}

const integer = (array: StoredArrayConstructor, natural: "i32" | "u32" = "i32"): StoredFormat => ({
  itemBytes: array.BYTES_PER_ELEMENT,
  array,
  natural,
  integer: true,
  widen: widenNumbers,
});

const float = (array: StoredArrayConstructor, widen: StoredFormat["widen"]): StoredFormat => ({
  itemBytes: array.BYTES_PER_ELEMENT,
  array,
  natural: "f32",
  integer: false,
  widen,
});

/**
 * The element types of the safetensors format, in the order of its reference implementation: item sizes never fall along the
 * table, so that tensors written in its reverse order are all aligned. Its 4- and 6-bit floats are not supported.
 */
export const STORED_FORMATS = {
  BOOL: {
    ...integer(Uint8Array),
    widen: widenByTable((byte) => (byte === 0 ? 0 : 1)),
  },
  U8: integer(Uint8Array),
  I8: integer(Int8Array),
  F8_E5M2: float(
    Uint8Array,
    widenBits((byte) => f32BitsFromF16(byte << 8)),
  ),
  F8_E4M3: float(Uint8Array, widenByTable(f8E4M3)),
  F8_E8M0: float(Uint8Array, widenByTable(f8E8M0)),
  I16: integer(Int16Array),
  U16: integer(Uint16Array),
  F16: float(Uint16Array, widenBits(f32BitsFromF16)),
  BF16: float(
    Uint16Array,
    widenBits((half) => half << 16),
  ),
  I32: integer(Int32Array),
  U32: integer(Uint32Array, "u32"),
  F32: float(Float32Array, widenNumbers),
  C64: { ...float(Float32Array, widenNumbers), itemBytes: 8 },
  F64: float(Float64Array, widenNumbers),
  I64: integer(BigInt64Array),
  U64: integer(BigUint64Array, "u32"),
} as const satisfies Record<string, StoredFormat>;

/** The name of an element type in a safetensors header. */
export type StoredDType = keyof typeof STORED_FORMATS;

/** Rank of each element type in a written file; larger first. */
export const STORED_ORDER: ReadonlyMap<string, number> = new Map(
  Object.keys(STORED_FORMATS).map((dtype, rank) => [dtype, rank]),
);

export function isStoredDType(name: string): name is StoredDType {
  return STORED_ORDER.has(name);
}

export function storedFormat(dtype: StoredDType): StoredFormat {
  return STORED_FORMATS[dtype];
}

/** Bytes of an element. */
export function storedItemBytes(dtype: StoredDType): number {
  return STORED_FORMATS[dtype].itemBytes;
}

/** Whether elements are floats, halves and 8-bit floats included. */
export function isFloating(dtype: StoredDType): boolean {
  return !STORED_FORMATS[dtype].integer && dtype !== "C64";
}

/** A typed view of little-endian bytes, of a copy where they are not aligned to the item. */
export function storedView(dtype: StoredDType, bytes: Uint8Array): StoredArray {
  const { array } = storedFormat(dtype);
  const aligned = bytes.byteOffset % array.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  return new array(aligned.buffer, aligned.byteOffset, aligned.byteLength / array.BYTES_PER_ELEMENT);
}
