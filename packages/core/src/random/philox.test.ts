import { describe, expect, test } from "vitest";
import { boxMuller, philox4x32, uniform01 } from "./philox.ts";

const words = (text: string) => text.split(" ").map((word) => Number.parseInt(word, 16));

// Random123 1.14.0, tests/kat_vectors, "philox4x32 10": four counter words, two key words, four result words.
const KNOWN_ANSWERS = [
  "00000000 00000000 00000000 00000000 00000000 00000000 6627e8d5 e169c58d bc57ac4c 9b00dbd8",
  "ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff 408f276d 41c83b0e a20bc7c6 6d5451fd",
  "243f6a88 85a308d3 13198a2e 03707344 a4093822 299f31d0 d16cfe09 94fdcceb 5001e420 24126ea1",
];

describe("philox4x32", () => {
  test.each(KNOWN_ANSWERS)("gives the published answer %s", (line) => {
    const [c0 = 0, c1 = 0, c2 = 0, c3 = 0, k0 = 0, k1 = 0, ...expected] = words(line);
    expect(philox4x32([c0, c1, c2, c3], [k0, k1])).toEqual(expected);
  });

  test("agrees with 64-bit integer arithmetic on scattered counters", () => {
    // The definition again in BigInt, which cannot carry wrongly.
    const oracle = (counter: readonly number[], key: readonly number[]) => {
      let [c0 = 0n, c1 = 0n, c2 = 0n, c3 = 0n] = counter.map(BigInt);
      let [k0 = 0n, k1 = 0n] = key.map(BigInt);
      for (let round = 0; round < 10; round++) {
        const [p0, p1] = [0xd2511f53n * c0, 0xcd9e8d57n * c2];
        [c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & 0xffffffffn, (p0 >> 32n) ^ c3 ^ k1, p0 & 0xffffffffn];
        [k0, k1] = [(k0 + 0x9e3779b9n) & 0xffffffffn, (k1 + 0xbb67ae85n) & 0xffffffffn];
      }
      return [c0, c1, c2, c3].map(Number);
    };
    for (let i = 0; i < 500; i++) {
      const counter = [i, Math.imul(i, 0x9e3779b9) >>> 0, 0xffffffff - i, (i << 20) >>> 0] as const;
      const key = [Math.imul(i, 0x85ebca6b) >>> 0, 0xffffffff - 7 * i] as const;
      expect(philox4x32(counter, key)).toEqual(oracle(counter, key));
    }
  });
});

describe("uniform01", () => {
  test("covers [0, 1) in steps of 2^-24, exact in f32", () => {
    expect([0, 0xff, 0x100, 0x80000000, 0xffffffff].map(uniform01)).toEqual([0, 0, 2 ** -24, 0.5, 1 - 2 ** -24]);
    expect(Math.fround(uniform01(0xffffffff))).toBe(1 - 2 ** -24);
  });
});

describe("boxMuller", () => {
  test("is finite at the ends of the words' range", () => {
    for (const a of [0, 0xffffffff])
      for (const b of [0, 0xffffffff]) for (const value of boxMuller(a, b)) expect(Math.abs(value)).toBeLessThan(5.78);
  });

  test("draws have the moments of the standard normal", () => {
    const draws: number[] = [];
    for (let i = 0; i < 20_000; i++) {
      const [a, b, c, d] = philox4x32([i, 0, 0, 0], [2026, 0]);
      draws.push(...boxMuller(a, b), ...boxMuller(c, d));
    }
    const moment = (power: number) => draws.reduce((sum, x) => sum + x ** power, 0) / draws.length;
    // Five standard errors of each moment's estimator at n = 80,000: sqrt((m_2p - m_p^2) / n) with m_2, m_4, m_6, m_8 = 1, 3, 15, 105.
    const n = draws.length;
    expect(Math.abs(moment(1))).toBeLessThan(5 * Math.sqrt(1 / n));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
    expect(Math.abs(moment(3))).toBeLessThan(5 * Math.sqrt(15 / n));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / n));
  });
});
