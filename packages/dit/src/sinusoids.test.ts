import { tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import { describe, expect, test } from "vitest";
import { sincosTable2d, sincosTable3d } from "./sincos.ts";
import { timestepEmbedding } from "./timestep-embedding.ts";

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];

/** f32 phases below one turn, and the adapter's own sine: WGSL grants it an error of 2^-11, adapters here keep 1e-6. */
const CLOSE = 5;

describe("timestepEmbedding", () => {
  const steps = [0, 1, 12.5, 731, 999.25];

  test("is the cosines and sines of t · 10000^(−i / half), up to the thousandth step", async () => {
    const got = await values(timestepEmbedding(tensor(steps), { dim: 8 }));
    const wanted = steps.flatMap((t) => {
      const angles = [0, 1, 2, 3].map((i) => t * 10_000 ** (-i / 4));
      return [...angles.map(Math.cos), ...angles.map(Math.sin)];
    });
    got.forEach((value, i) => expect(value).toBeCloseTo(wanted[i] ?? NaN, CLOSE));
  });

  test("takes sines first, other frequencies and odd widths", async () => {
    const got = await values(timestepEmbedding(tensor([3]), { dim: 5, first: "sin", shift: 1, maxPeriod: 100 }));
    const angles = [3, 0.03]; // 100^(−i / (2 − 1))
    [...angles.map(Math.sin), ...angles.map(Math.cos), 0].forEach((value, i) =>
      expect(got[i]).toBeCloseTo(value, CLOSE),
    );
  });
});

describe("sincos tables", () => {
  test("hold x in the first half of the channels and y in the second", async () => {
    const table = sincosTable2d({ dim: 8, edge: 3, step: 0.5 });
    expect(table.shape).toEqual([9, 8]);
    const row = (await values(table)).slice(5 * 8, 6 * 8); // y = 1, x = 2
    const wave = (p: number): number[] => [Math.sin(p), Math.sin(p / 100), Math.cos(p), Math.cos(p / 100)];
    [...wave(1), ...wave(0.5)].forEach((value, i) => expect(row[i]).toBeCloseTo(value, CLOSE));
  });

  test("of videos hold time in the first quarter", async () => {
    const table = sincosTable3d({ dim: 16, frames: 3, rows: 2, columns: 2, frameStep: 2 });
    expect(table.shape).toEqual([3, 4, 16]);
    const all = await values(table);
    const at = (frame: number, patch: number): number[] =>
      all.slice((frame * 4 + patch) * 16, (frame * 4 + patch + 1) * 16);
    const time = [Math.sin(4), Math.sin(4 / 100), Math.cos(4), Math.cos(4 / 100)];
    time.forEach((value, i) => expect(at(2, 3)[i]).toBeCloseTo(value, CLOSE));
    expect(at(2, 3).slice(4)).toEqual(at(0, 3).slice(4));
  });
});
