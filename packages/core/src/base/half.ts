const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/**
 * The IEEE 754 binary16 bits nearest to the f32 with the given bits, ties to even.
 *
 * Magnitudes of 65520 and above become infinity, NaN stays NaN (quiet), subnormal halves are exact multiples of 2^-24.
 */
export function f16FromF32Bits(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff);
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Adding half a unit in the last place, less one where the kept bit is even, and letting the carry run into the exponent.
  if (magnitude >= 0x38800000) return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  // 2^-25 is the tie between 0 and the smallest half.
  if (magnitude <= 0x33000000) return sign;
  const shift = 126 - (magnitude >>> 23);
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const kept = mantissa >>> shift;
  const rest = mantissa & ((1 << shift) - 1);
  const tie = 1 << (shift - 1);
  return sign | (rest > tie || (rest === tie && (kept & 1) === 1) ? kept + 1 : kept);
}

/** The f32 bits of a binary16 word; exact, NaN payloads kept. */
export function f32BitsFromF16(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0x1f) return (sign | 0x7f800000 | (mantissa << 13)) >>> 0;
  if (exponent !== 0) return (sign | ((exponent + 112) << 23) | (mantissa << 13)) >>> 0;
  float[0] = mantissa * 2 ** -24;
  return (sign | (bits[0] ?? 0)) >>> 0;
}

/** Value of an OCP 8-bit float E4M3 ("FN": no infinity, 0x7f and 0xff are NaN), bias 7. */
export function f8E4M3(byte: number): number {
  const exponent = (byte >>> 3) & 0xf;
  const mantissa = byte & 7;
  const magnitude =
    (byte & 0x7f) === 0x7f ? Number.NaN : exponent === 0 ? mantissa * 2 ** -9 : (8 + mantissa) * 2 ** (exponent - 10);
  return byte & 0x80 ? -magnitude : magnitude;
}

/** Value of an OCP 8-bit scale E8M0: a power of two, 2^(byte - 127); 0xff is NaN. */
export function f8E8M0(byte: number): number {
  return byte === 0xff ? Number.NaN : 2 ** (byte - 127);
}

/**
 * The double that rounds to the same f32 as a 64-bit integer: bits below 2^12 fold into a sticky bit, so that the later rounding
 * to 24 bits is the only one.
 */
export function numberForF32(value: bigint): number {
  const magnitude = value < 0n ? -value : value;
  if (magnitude < 1n << 53n || (magnitude & 0xfffn) === 0n) return Number(value);
  const sticky = Number((magnitude & ~0xfffn) | 0x1000n);
  return value < 0n ? -sticky : sticky;
}
