import { describe, expect, test } from "vitest";
import { ShapeError } from "../base/errors.ts";
import { boxMuller, philox4x32, uniform01 } from "../random/philox.ts";
import { Rng } from "./random.ts";
import { concat } from "./join.ts";
import { realize, type Tensor } from "./tensor.ts";

/** Word i of a draw, as the CPU's Philox gives it. */
const word = (i: number, seed: number, draw: number): number =>
  philox4x32([Math.floor(i / 4), 0, draw, 0], [seed, 0])[i % 4] ?? NaN;

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];

describe("Rng", () => {
  test("gives the CPU's numbers bit by bit: uniform ones exactly, normal ones to its sin and log", async () => {
    const rng = new Rng(2026);
    const [u, n] = [rng.uniform([37]), rng.normal([38])];
    await realize([u, n]);
    expect(await values(u)).toEqual(Array.from({ length: 37 }, (_, i) => uniform01(word(i, 2026, 0))));
    const normal = await values(n);
    normal.forEach((value, i) => {
      const pair = boxMuller(word(i - (i % 2), 2026, 1), word(i - (i % 2) + 1, 2026, 1));
      // WGSL: log and cos to 2⁻²¹ and 2⁻¹¹ of values up to 5.8
      expect(Math.abs(value - (pair[i % 2] ?? NaN))).toBeLessThan(6 * 2 ** -11);
    });
  });

  test("numbers do not depend on shape, fusion or the order of realising", async () => {
    const make = (): Tensor[] => {
      const rng = new Rng(7);
      return [rng.uniform([6, 4]), rng.uniform([5])];
    };
    const [a, b] = make();
    const [c, d] = make();
    const rng = new Rng(7);
    const flat = rng.uniform([24]);
    await d?.realize();
    const fused = c?.mul(2).sub(c);
    const joined = concat([flat.reshape([24]), rng.uniform([5])]);
    await realize([a, b, c, fused, joined].flatMap((t) => t ?? []));
    const expected = [...(a ? await values(a) : []), ...(b ? await values(b) : [])];
    expect([...(c ? await values(c) : []), ...(d ? await values(d) : [])]).toEqual(expected);
    expect(await values(joined)).toEqual(expected);
    expect(fused ? await values(fused) : []).toEqual(expected.slice(0, 24));
  });

  test("one lazy draw used twice is one draw; two draws differ", async () => {
    const rng = new Rng(1);
    const x = rng.normal([8]);
    expect(await values(x.sub(x))).toEqual(new Array(8).fill(0));
    const y = rng.normal([8]);
    expect(await values(x)).not.toEqual(await values(y));
    expect(await values(x)).toEqual(await values(new Rng(1).normal([8])));
  });

  test("draws have the moments of their distributions", async () => {
    const n = 1 << 18;
    const rng = new Rng(99);
    const [x, u] = [rng.normal([n]), rng.uniform([n], -2, 4)];
    const moments = [
      x.mean(),
      x.square().mean(),
      x.pow(3).mean(),
      x.pow(4).mean(),
      u.mean(),
      u.variance(),
      u.min(),
      u.max(),
    ];
    await realize(moments);
    const [m1 = NaN, m2 = NaN, m3 = NaN, m4 = NaN, mean = NaN, variance = NaN, low = NaN, high = NaN] =
      await Promise.all(moments.map((m) => m.item()));
    // five standard errors: √((m_2p − m_p²)/n) with moments 1, 3, 15, 105 of the normal, 36/12 and 6⁴/180 of the uniform
    const bound = (spread: number): number => 5 * Math.sqrt(spread / n);
    expect(Math.abs(m1)).toBeLessThan(bound(1));
    expect(Math.abs(m2 - 1)).toBeLessThan(bound(2));
    expect(Math.abs(m3)).toBeLessThan(bound(15));
    expect(Math.abs(m4 - 3)).toBeLessThan(bound(96));
    expect(Math.abs(mean - 1)).toBeLessThan(bound(3));
    expect(Math.abs(variance - 3)).toBeLessThan(bound(6 ** 4 / 180));
    expect(low).toBeGreaterThanOrEqual(-2);
    expect(high).toBeLessThanOrEqual(4);
    expect([low < -1.999, high > 3.999]).toEqual([true, true]);
  });

  test("forks are independent of their parent and of each other, equal labels give equal forks", async () => {
    const first = (rng: Rng): Promise<number[]> => values(rng.uniform([4]));
    const parent = new Rng(5);
    const before = await first(new Rng(5).fork("a"));
    await first(parent);
    expect(await first(parent.fork("a"))).toEqual(before);
    const all = await Promise.all([
      first(new Rng(5)),
      first(parent.fork("b")),
      first(parent.fork(0)),
      first(parent.fork(1)),
      first(parent.fork("a").fork("a")),
    ]);
    expect(new Set([before, ...all].map((v) => v.join())).size).toBe(6);
  });

  test("goes on where it was when its count of draws is restored", async () => {
    const rng = new Rng(3);
    rng.normal([2]);
    rng.uniform([2]);
    const next = await values(new Rng(3).seek(rng.draws).normal([3]));
    expect(await values(rng.normal([3]))).toEqual(next);
    expect(rng.draws).toBe(3);
  });

  test("gives the CPU's words as they are", async () => {
    const rng = new Rng(11);
    rng.bits([3]);
    const y = rng.bits([2, 7]);
    expect(y.dtype).toBe("u32");
    expect(await values(y)).toEqual(Array.from({ length: 14 }, (_, i) => word(i, 11, 1)));
  });

  test("randint gives each whole number of its range about as often, and reaches both ends of i32", async () => {
    const n = 1 << 14;
    const y = new Rng(12).randint([n], -3, 4);
    expect(y.dtype).toBe("i32");
    const counts = new Array<number>(7).fill(0);
    for (const v of await y.data()) {
      expect(v >= -3 && v < 4 && Number.isInteger(v)).toBe(true);
      counts[v + 3] = (counts[v + 3] ?? 0) + 1;
    }
    // five standard deviations of a binomial count
    const deviation = Math.sqrt(n * (1 / 7) * (6 / 7));
    for (const count of counts) expect(Math.abs(count - n / 7)).toBeLessThan(5 * deviation);
    expect(await values(new Rng(12).randint([5], 9, 10))).toEqual([9, 9, 9, 9, 9]);
    // the word itself, counted from the lowest i32
    const whole = await values(new Rng(13).randint([9], -(2 ** 31), 2 ** 31));
    expect(whole).toEqual(Array.from({ length: 9 }, (_, i) => word(i, 13, 0) - 2 ** 31));
    const wide = await values(new Rng(13).randint([9], -(2 ** 31), 2 ** 31 - 1));
    expect(wide).toEqual(Array.from({ length: 9 }, (_, i) => (word(i, 13, 0) % (2 ** 32 - 1)) - 2 ** 31));
  });

  test("permutation holds each number once, and differs from draw to draw", async () => {
    const rng = new Rng(14);
    const sorted = (list: readonly number[]): number[] => list.toSorted((a, b) => a - b);
    // 600 numbers are sorted by the other algorithm
    for (const n of [0, 1, 50, 600]) {
      const found = await values(rng.permutation(n));
      expect(sorted(found)).toEqual(Array.from({ length: n }, (_, i) => i));
    }
    const [a, b] = [await values(rng.permutation(50)), await values(rng.permutation(50))];
    expect(a).not.toEqual(b);
    // the order that sorts the draw's words
    const words = Array.from({ length: 50 }, (_, i) => word(i, 14, 4));
    expect(a).toEqual(words.map((_, i) => i).sort((i, j) => (words[i] ?? 0) - (words[j] ?? 0)));
  });

  test("bernoulli is true with its probability, always or never at the ends", async () => {
    const n = 1 << 14;
    const rng = new Rng(15);
    const draws = [rng.bernoulli([n], 0.3), rng.bernoulli([n], 0), rng.bernoulli([n], 1)];
    const counts = draws.map((d) => d.cast("i32").sum());
    await realize(counts);
    expect(draws[0]?.dtype).toBe("bool");
    const [some = NaN, none, every] = await Promise.all(counts.map((c) => c.item()));
    expect(Math.abs(some - 0.3 * n)).toBeLessThan(5 * Math.sqrt(n * 0.3 * 0.7));
    expect([none, every]).toEqual([0, n]);
  });

  test("truncatedNormal stays within its bounds and has the moments of the truncated distribution", async () => {
    const n = 1 << 16;
    const rng = new Rng(16);
    const [two, tail] = [rng.truncatedNormal([n]), rng.truncatedNormal([n], 1, 3)];
    const moments = [two, tail].flatMap((x) => [x.mean(), x.square().mean(), x.min(), x.max()]);
    await realize(moments);
    const found = await Promise.all(moments.map((m) => m.item()));
    const density = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
    // Φ(2) and Φ(3) − Φ(1) from the tables: 0.97724987, 0.99865010 − 0.84134475
    [
      { from: -2, to: 2, mass: 2 * 0.97724987 - 1 },
      { from: 1, to: 3, mass: 0.9986501 - 0.84134475 },
    ].forEach(({ from, to, mass }, i) => {
      const [mean = NaN, square = NaN, low = NaN, high = NaN] = found.slice(4 * i, 4 * i + 4);
      // E x = (φ(a) − φ(b))/Z, E x² = 1 + (a φ(a) − b φ(b))/Z; five standard errors of values of at most 3 and 9
      expect(Math.abs(mean - (density(from) - density(to)) / mass)).toBeLessThan((5 * 1) / Math.sqrt(n));
      const second = 1 + (from * density(from) - to * density(to)) / mass;
      expect(Math.abs(square - second)).toBeLessThan((5 * 2.5) / Math.sqrt(n));
      expect(low).toBeGreaterThanOrEqual(from);
      expect(high).toBeLessThanOrEqual(to);
      expect([low < from + 0.01, high > to - 0.1]).toEqual([true, true]);
    });
  });

  test.each<[string, () => unknown, string]>([
    [
      "an empty range",
      () => new Rng(1).randint([2], 3, 3),
      "randint: low and high must be whole numbers of 32 bits with low < high, got 3 and 3",
    ],
    ["a fraction", () => new Rng(1).randint([2], 0, 1.5), "randint: low and high must be whole numbers"],
    ["more than 32 bits", () => new Rng(1).randint([2], 0, 2 ** 31 + 1), "randint: low and high must be whole numbers"],
    [
      "bounds the wrong way round",
      () => new Rng(1).truncatedNormal([2], 2, 1),
      "truncatedNormal: low must be less than high, got 2 and 1",
    ],
    [
      "bounds that are no numbers",
      () => new Rng(1).truncatedNormal([2], NaN, 1),
      "truncatedNormal: low must be less than high",
    ],
  ])("refuses %s", (_, make, message) => {
    expect(make).toThrow(message);
  });

  test("takes seeds past 32 bits, and draws of nothing", async () => {
    expect(await values(new Rng(2 ** 40 + 1).uniform([4]))).not.toEqual(await values(new Rng(1).uniform([4])));
    expect(await values(new Rng(1).normal([0, 3]))).toEqual([]);
    expect(() => new Rng(1).normal([-1])).toThrow(
      new ShapeError("Rng: sizes must be whole numbers of at least 0, got [-1]"),
    );
  });
});
