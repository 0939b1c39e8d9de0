import { describe, expect, test } from "vitest";
import { f16FromF32Bits, f32BitsFromF16 } from "../base/half.ts";
import { philox4x32 } from "../random/philox.ts";
import { tensor } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];

describe("functions at the ends of their domains", () => {
  test("erf saturates at ±1, its inverse reaches infinity there and is nothing beyond", async () => {
    const x = [-Infinity, -1e30, -5, 0, 5, 1e30, Infinity, NaN];
    const y = await values(tensor(x).erf());
    // within the published 4e-7
    [-1, -1, -1, 0, 1, 1, 1].forEach((v, i) => expect(Math.abs((y[i] ?? NaN) - v)).toBeLessThan(4e-7));
    expect(y[7]).toBeNaN();
    const inverse = await values(tensor([-1, 0, 1, 1.5, NaN]).erfinv());
    expect(inverse.slice(0, 3)).toEqual([-Infinity, 0, Infinity]);
    expect([inverse[3], inverse[4]]).toEqual([NaN, NaN]);
  });

  // erfinv(y) = Φ⁻¹((1 + y)/2)/√2; quantiles from the tables: 0.975 → 1.959963985, 0.9995 → 3.290526731, 0.999999 → 4.753424309
  test("erfinv gives the normal quantiles, on both branches", async () => {
    const y = await values(
      tensor([0.95, 0.999, 1 - 2e-6, -0.95])
        .erfinv()
        .mul(Math.SQRT2),
    );
    // 1 − y has 17 − 19 bits left in f32 near 1
    [1.959963985, 3.290526731, 4.753424309, -1.959963985].forEach((v, i) =>
      expect(Math.abs((y[i] ?? NaN) - v)).toBeLessThan(i === 2 ? 5e-3 : 2e-5),
    );
  });

  test("expm1 and log1p take infinities, and join their two branches without a step", async () => {
    const ends = [tensor([-Infinity, -200, 200, Infinity]).expm1(), tensor([-1, -2, Infinity]).log1p()];
    const edge = [0.4999999, 0.5, 0.5000001];
    const joins = [tensor(edge).expm1(), tensor(edge).neg().expm1(), tensor(edge).log1p(), tensor(edge).neg().log1p()];
    await realize([...ends, ...joins]);
    expect(await Promise.all(ends.map(values))).toEqual([
      [-1, -1, Infinity, Infinity],
      [-Infinity, NaN, Infinity],
    ]);
    const exact = [Math.expm1, (x: number) => Math.expm1(-x), Math.log1p, (x: number) => Math.log1p(-x)];
    for (const [k, y] of joins.entries())
      (await values(y)).forEach((v, i) => {
        const wanted = exact[k]?.(Math.fround(edge[i] ?? 0)) ?? NaN;
        // WGSL: exp to 3 + 2|x| units in the last place, log to 2⁻²¹
        expect(Math.abs(v - wanted)).toBeLessThan(1e-6);
      });
  });

  // IEEE 754-2019, section 9.2.1: ECMAScript's power, which differs in (±1)^±∞ = 1 and 1^NaN = 1 alone
  test("pow has the special cases of IEEE 754", async () => {
    const numbers = [0, -0, 1, -1, 2, -2, 0.5, -0.5, Infinity, -Infinity, NaN];
    const exponents = [0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, Infinity, -Infinity, NaN];
    const pairs = numbers.flatMap((a) => exponents.map((b): [number, number] => [a, b]));
    const y = await values(tensor(pairs.map(([a]) => a)).pow(tensor(pairs.map(([, b]) => b))));
    pairs.forEach(([a, b], i) => {
      const expected = a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b;
      const found = y[i] ?? 0;
      const name = `${Object.is(a, -0) ? "-0" : a} ^ ${b}`;
      if (Number.isNaN(expected)) expect(found, name).toBeNaN();
      else if (Number.isFinite(expected)) expect(Math.abs(found - expected), name).toBeLessThan(1e-6);
      else expect(found, name).toBe(expected);
    });
  });
});

describe("rounding to halves", () => {
  const words = Uint32Array.from({ length: 4096 }, (_, i) => {
    const [word] = philox4x32([i, 0, 0, 0], [5, 6]);
    // three in four near the range of f16, where all of its cases are
    if (i % 4 === 0) return word;
    return ((word & 0x80ffffff) | ((0x30 + ((word >>> 24) & 0x1f)) << 24)) >>> 0;
  });
  const floats = new Float32Array(words.buffer.slice(0));

  test("to f16 agrees with the host's, bit by bit", async () => {
    const found = new Uint32Array((await tensor(floats).roundTo("f16").data()).buffer);
    const scratch = new Float32Array(1);
    const bits = new Uint32Array(scratch.buffer);
    words.forEach((word, i) => {
      bits[0] = f32BitsFromF16(f16FromF32Bits(word));
      const name = word.toString(16);
      if (Number.isNaN(scratch[0])) expect((found[i] ?? 0) & 0x7fffffff, name).toBeGreaterThan(0x7f800000);
      else expect(found[i], name).toBe(bits[0]);
    });
  });

  test("to bf16 is the nearest of the two neighbours, the even one in the middle", async () => {
    const found = new Uint32Array((await tensor(floats).roundTo("bf16").data()).buffer);
    words.forEach((word, i) => {
      const name = word.toString(16);
      if ((word & 0x7fffffff) > 0x7f800000) {
        expect((found[i] ?? 0) & 0x7fffffff, name).toBeGreaterThan(0x7f800000);
        return;
      }
      const [low, rest] = [word >>> 16, word & 0xffff];
      const up = rest > 0x8000 || (rest === 0x8000 && low % 2 === 1);
      // adapters may flush numbers below 2⁻¹²⁶
      if ((word & 0x7fffffff) < 0x800000 && ((found[i] ?? 0) & 0x7fffffff) === 0) return;
      expect(found[i], name).toBe(((low + Number(up)) << 16) >>> 0);
    });
  });
});
