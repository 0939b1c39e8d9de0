import { arrayType, dtypeOf, isFloat, wideType, type DType, type TypedArray } from "../base/dtype.ts";
import { DTypeError, ShapeError } from "../base/errors.ts";
import { nearest } from "../base/packed.ts";
import { checkShape, formatShape, sizeOf, type Shape } from "../base/shape.ts";
import { Node } from "../graph/node.ts";
import * as structural from "../primitives/structural.ts";
import { flattened, type Nested } from "./nested.ts";
import { full, Tensor } from "./tensor.ts";

/**
 * A tensor of given values: a typed array (used as it is: do not change it afterwards), or nested arrays of numbers. Bool takes a
 * Uint32Array of 0 and 1; f16 and bf16 take a Float32Array, rounded to nearest.
 * @throws ShapeError when the number of values and the shape disagree
 * @throws DTypeError when a typed array is not of the dtype asked for
 */
export function tensor(values: TypedArray | Nested, options: { shape?: Shape; dtype?: DType } = {}): Tensor {
  let array: TypedArray;
  let shape: Shape;
  let dtype: DType;
  if (ArrayBuffer.isView(values)) {
    array = values;
    shape = options.shape ?? [values.length];
    const held = dtypeOf(values);
    dtype = options.dtype ?? held;
    if (held !== arrayType(dtype))
      throw new DTypeError(
        `tensor: values of dtype ${dtype} must come in ${dtype === arrayType(dtype) ? "their own" : `a ${arrayType(dtype)}`} typed array, got a ${held} one`,
      );
  } else {
    const { shape: found, flat } = flattened(values);
    shape = options.shape ?? found;
    dtype = options.dtype ?? "f32";
    if (isFloat(dtype)) array = Float32Array.from(flat);
    else if (dtype === "i32") array = Int32Array.from(flat);
    else if (dtype === "u8") array = Uint8Array.from(flat);
    else array = Uint32Array.from(flat, (value) => (dtype === "bool" ? Number(value !== 0) : value));
  }
  if (sizeOf(checkShape("tensor", shape)) !== array.length)
    throw new ShapeError(`tensor: shape ${formatShape(shape)} must hold ${array.length} values`);
  if (dtype === "f16" || dtype === "bf16") array = Float32Array.from(array, (value) => nearest(value, dtype));
  return new Tensor(new Node(null, [], [], shape, dtype, { kind: "host", array }));
}

/** 0 everywhere; see `full`. */
export const zeros = (shape: Shape, dtype: DType = "f32"): Tensor => full(shape, 0, dtype);
/** 1 everywhere; see `full`. */
export const ones = (shape: Shape, dtype: DType = "f32"): Tensor => full(shape, 1, dtype);

/** 0, 1, …, n − 1. */
export const arange = (n: number, { dtype = "f32" }: { dtype?: DType } = {}): Tensor =>
  new Tensor(new Node(structural.iota, [], [0], checkShape("arange", [n]), wideType(dtype))).cast(dtype);
