import { storedBytes, type DType, type TypedArray } from "./dtype.ts";
import { f16FromF32Bits, f32BitsFromF16 } from "./half.ts";

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);
const bitsOf = (value: number): number => {
  float[0] = value;
  return bits[0] ?? 0;
};
const valueOf = (word: number): number => {
  bits[0] = word;
  return float[0] ?? 0;
};

/** The upper half of the f32 with the given bits, rounded to nearest, ties to even; NaN stays NaN. */
const bf16FromF32Bits = (word: number): number =>
  (word & 0x7fffffff) > 0x7f800000 ? (word >>> 16) | 0x40 : ((word + 0x7fff + ((word >>> 16) & 1)) >>> 16) & 0xffff;

const HALVES = {
  f16: { encode: f16FromF32Bits, decode: f32BitsFromF16 },
  bf16: { encode: bf16FromF32Bits, decode: (half: number): number => (half << 16) >>> 0 },
} as const;

const isHalf = (dtype: DType): dtype is keyof typeof HALVES => dtype in HALVES;

/** The number nearest to a value that the dtype has. */
export function nearest(value: number, dtype: DType): number {
  if (!isHalf(dtype)) return value;
  const { encode, decode } = HALVES[dtype];
  return valueOf(decode(encode(bitsOf(value))));
}

/** Values as they lie in a buffer: a whole number of words. */
export function packed<T extends ArrayBufferView & ArrayLike<number>>(values: T, dtype: DType): T | Uint8Array {
  if (isHalf(dtype)) {
    const { encode } = HALVES[dtype];
    const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
    const halves = new Uint16Array(storedBytes(values.length, dtype) / 2);
    words.forEach((word, i) => (halves[i] = encode(word)));
    return new Uint8Array(halves.buffer);
  }
  if (dtype !== "u8" || values.length % 4 === 0) return values;
  const whole = new Uint8Array(storedBytes(values.length, dtype));
  whole.set(values);
  return whole;
}

/** The values that a buffer's bytes stand for. */
export function unpacked(buffer: ArrayBuffer, size: number, dtype: DType): TypedArray {
  if (isHalf(dtype)) {
    const { decode } = HALVES[dtype];
    const words = new Uint32Array(size);
    new Uint16Array(buffer, 0, size).forEach((half, i) => (words[i] = decode(half)));
    return new Float32Array(words.buffer);
  }
  if (dtype === "u8") return new Uint8Array(buffer, 0, size);
  if (dtype === "f32") return new Float32Array(buffer);
  return dtype === "i32" ? new Int32Array(buffer) : new Uint32Array(buffer);
}
