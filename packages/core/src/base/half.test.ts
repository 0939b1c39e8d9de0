import { describe, expect, test } from "vitest";
import { f16FromF32Bits, f32BitsFromF16, f8E4M3, f8E8M0, numberForF32 } from "./half.ts";

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);
const toBits = (value: number) => ((float[0] = value), bits[0] ?? 0);
const fromBits = (word: number) => ((bits[0] = word), float[0] ?? 0);

/** The value of a finite half, from IEEE 754-2008, section 3.4. */
function halfValue(half: number): number {
  const [exponent, mantissa] = [(half >>> 10) & 31, half & 1023];
  const magnitude = exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25);
  return half & 0x8000 ? -magnitude : magnitude;
}

describe("f32BitsFromF16", () => {
  test("is the value of every finite half", () => {
    const wrong: number[] = [];
    for (let half = 0; half < 0x10000; half++)
      if ((half & 0x7c00) !== 0x7c00 && !Object.is(fromBits(f32BitsFromF16(half)), halfValue(half))) wrong.push(half);
    expect(wrong).toEqual([]);
  });

  test("keeps infinities and NaN payloads", () => {
    // The payload moves to the upper bits of the wider fraction.
    expect([0x7c00, 0xfc00, 0x7e00, 0xfd01].map(f32BitsFromF16)).toEqual([
      0x7f800000, 0xff800000, 0x7fc00000, 0xffa02000,
    ]);
  });
});

describe("f16FromF32Bits", () => {
  test("gives every half back from its own value", () => {
    const wrong: number[] = [];
    for (let half = 0; half < 0x10000; half++) {
      const nan = (half & 0x7fff) > 0x7c00;
      const expected = nan ? half | 0x200 : half;
      if (f16FromF32Bits(f32BitsFromF16(half)) !== expected) wrong.push(half);
    }
    expect(wrong).toEqual([]);
  });

  test("rounds between each two neighbours to the nearer, and ties to the even one", () => {
    // Rounding is monotonic, so the tie and its two neighbours among the f32 decide all values between two halves.
    const wrong: number[] = [];
    for (let half = 0; half < 0x7c00; half++) {
      // The neighbour above 65504 is 65536, which stands for infinity.
      const above = half + 1 === 0x7c00 ? 65536 : halfValue(half + 1);
      const tie = toBits((halfValue(half) + above) / 2);
      const even = half % 2 === 0 ? half : half + 1;
      for (const sign of [0, 0x8000])
        for (const [word, nearest] of [
          [tie - 1, half],
          [tie, even],
          [tie + 1, half + 1],
        ] as const)
          if (f16FromF32Bits((word | (sign << 16)) >>> 0) !== (nearest | sign)) wrong.push(half);
    }
    expect(wrong).toEqual([]);
  });

  test("sends what is beyond the range to infinity and keeps NaN", () => {
    expect([65520, 1e30, Infinity, -Infinity].map((value) => f16FromF32Bits(toBits(value)))).toEqual([
      0x7c00, 0x7c00, 0x7c00, 0xfc00,
    ]);
    // A payload in the low bits only must not turn into infinity.
    expect(f16FromF32Bits(0x7f800001)).toBe(0x7e00);
  });
});

describe("8-bit floats", () => {
  test("E4M3 has the values of the OCP table", () => {
    // OCP 8-bit Floating Point Specification 1.0, table 2: zero, min subnormal, max subnormal, min normal, max normal, NaN.
    expect([0x00, 0x01, 0x07, 0x08, 0x7e, 0x7f, 0x80, 0xfe].map(f8E4M3)).toEqual([
      0,
      2 ** -9,
      0.875 * 2 ** -6,
      2 ** -6,
      448,
      Number.NaN,
      -0,
      -448,
    ]);
  });

  test("E8M0 is a power of two", () => {
    expect([0, 127, 130, 254, 255].map(f8E8M0)).toEqual([2 ** -127, 1, 8, 2 ** 127, Number.NaN]);
  });
});

describe("numberForF32", () => {
  test("rounds a 64-bit integer to f32 once", () => {
    // 2^60 + 2^36 is the tie below 2^60 + 2^37; one more is above it. A double drops that one, then rounds the tie to even.
    const aboveTie = (1n << 60n) + (1n << 36n) + 1n;
    expect(Math.fround(Number(aboveTie))).toBe(2 ** 60);
    expect(Math.fround(numberForF32(aboveTie))).toBe(2 ** 60 + 2 ** 37);
    expect(Math.fround(numberForF32(-aboveTie))).toBe(-(2 ** 60) - 2 ** 37);
    expect(Math.fround(numberForF32(aboveTie - 1n))).toBe(2 ** 60);
    expect([0n, -1n, 2n ** 53n - 1n, -(2n ** 63n)].map(numberForF32)).toEqual([0, -1, 2 ** 53 - 1, -(2 ** 63)]);
  });
});
