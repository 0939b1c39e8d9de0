import { describe, expect, test } from "vitest";
import { ShapeError } from "../base/errors.ts";
import { boxMuller, philox4x32, uniform01 } from "../random/philox.ts";
import { Rng } from "./random.ts";
import { concat, realize, type Tensor } from "./tensor.ts";

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

  test("takes seeds past 32 bits, and draws of nothing", async () => {
    expect(await values(new Rng(2 ** 40 + 1).uniform([4]))).not.toEqual(await values(new Rng(1).uniform([4])));
    expect(await values(new Rng(1).normal([0, 3]))).toEqual([]);
    expect(() => new Rng(1).normal([-1])).toThrow(
      new ShapeError("Rng: sizes must be whole numbers of at least 0, got [-1]"),
    );
  });
});
