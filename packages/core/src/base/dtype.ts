import { DTypeError } from "./errors.ts";

/**
 * Element types. `bool` is stored as one u32 (0 or 1) an element. The packed types, f16, bf16 and u8, lie two or four to a word; they are
 * computed with in f32 and u32.
 */
export type DType = "f32" | "i32" | "u32" | "bool" | PackedDType;
/** Element types of less than 32 bits. */
export type PackedDType = "f16" | "bf16" | "u8";

/** An array of values: f16, bf16 and f32 come as Float32Array, bool and u32 as Uint32Array. */
export type TypedArray =
  Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

export const DTYPE_IDS = {
  f32: 0,
  i32: 1,
  u32: 2,
  bool: 3,
  f16: 4,
  bf16: 5,
  u8: 6,
} as const satisfies Record<DType, number>;

export const DTYPES = Object.keys(DTYPE_IDS) as readonly DType[];

/** Bytes of an element that is not packed, and of a word of those that are. */
export const WORD_BYTES = 4;

const PER_WORD: Readonly<Record<PackedDType, number>> = { f16: 2, bf16: 2, u8: 4 };

export const isPacked = (dtype: DType): dtype is PackedDType => dtype in PER_WORD;

export const isFloat = (dtype: DType): dtype is "f32" | "f16" | "bf16" =>
  dtype === "f32" || dtype === "f16" || dtype === "bf16";

/** The type that a packed one is computed in. */
export const wideType = (dtype: DType): DType => (isFloat(dtype) ? "f32" : dtype === "u8" ? "u32" : dtype);

/** The type of the array that values come and go in. */
export const arrayType = (dtype: DType): "f32" | "i32" | "u32" | "u8" =>
  isFloat(dtype) ? "f32" : dtype === "i32" || dtype === "u8" ? dtype : "u32";

/** Bytes of `size` elements in a buffer: whole words. */
export const storedBytes = (size: number, dtype: DType): number =>
  isPacked(dtype) ? Math.ceil(size / PER_WORD[dtype]) * WORD_BYTES : size * WORD_BYTES;

/** WGSL type of a value in registers. */
export const wgslType = (dtype: DType): string => wideType(dtype);

/** WGSL type of an element in a storage buffer: bool is not host-shareable. Packed types have none. */
export const storageType = (dtype: DType): string => (dtype === "bool" ? "u32" : wideType(dtype));

/**
 * The type that two operands meet in: bool gives way to every number, whole numbers to floats, and narrow types to wide ones; f16 and bf16,
 * neither of which holds the other, meet in f32.
 *
 * @throws DTypeError for i32 with u32: no type of 32 bits holds both
 */
export function promote(op: string, a: DType, b: DType): DType {
  if (a === b) return a;
  const rank = (dtype: DType): number => RANKS[dtype];
  const [low, high] = rank(a) < rank(b) ? [a, b] : [b, a];
  if (low === "i32" && high === "u32")
    throw new DTypeError(`${op}: operands must share a dtype, got ${a} and ${b}; cast one`);
  return low === "f16" && high === "bf16" ? "f32" : high;
}
const RANKS = {
  bool: 0,
  u8: 1,
  i32: 2,
  u32: 3,
  f16: 4,
  bf16: 5,
  f32: 6,
} as const satisfies Record<DType, number>;

/** @throws DTypeError for an array of another type */
export function dtypeOf(array: ArrayBufferView): DType {
  if (array instanceof Float32Array) return "f32";
  if (array instanceof Int32Array) return "i32";
  if (array instanceof Uint32Array) return "u32";
  if (array instanceof Uint8Array) return "u8";
  throw new DTypeError(
    `tensor: values must be a Float32Array, Int32Array, Uint32Array or Uint8Array, got ${array.constructor.name}`,
  );
}
