import { DTypeError } from "./errors.ts";

/** Element types. `bool` is stored as one u32 (0 or 1) an element. */
export type DType = "f32" | "i32" | "u32" | "bool";

export type TypedArray = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

export const DTYPE_IDS = { f32: 0, i32: 1, u32: 2, bool: 3 } as const satisfies Record<DType, number>;

/** Every stored element takes four bytes. */
export const BYTES_PER_ELEMENT = 4;

/** WGSL type of a value in registers. */
export const wgslType = (dtype: DType): string => dtype;

/** WGSL type of an element in a storage buffer: bool is not host-shareable. */
export const storageType = (dtype: DType): string => (dtype === "bool" ? "u32" : dtype);

export function typedArray(dtype: DType, buffer: ArrayBuffer): TypedArray {
  if (dtype === "f32") return new Float32Array(buffer);
  return dtype === "i32" ? new Int32Array(buffer) : new Uint32Array(buffer);
}

/** @throws DTypeError for an array of another type */
export function dtypeOf(array: ArrayBufferView): DType {
  if (array instanceof Float32Array) return "f32";
  if (array instanceof Int32Array) return "i32";
  if (array instanceof Uint32Array) return "u32";
  throw new DTypeError(
    `tensor: values must be a Float32Array, Int32Array or Uint32Array, got ${array.constructor.name}`,
  );
}
