import { describe, expect, test } from "vitest";
import { getDevice } from "../runtime/index.ts";
import { type Tile, matmulProgram, tiledMatmul } from "./matmul.ts";
import { CASES, errorOf, specOf, TOLERANCE } from "./matmul.fixture.ts";

describe("matmul", () => {
  for (const [name, given] of Object.entries(CASES)) {
    test(`${name} equals the float64 product`, async () => {
      const { traits } = await getDevice();
      const spec = specOf(given);
      expect(await errorOf(spec, matmulProgram(spec, traits))).toBeLessThan(TOLERANCE);
    });
  }

  for (const share of [1, 4, 8])
    for (const [rows, columns] of [
      [4, 2],
      [16, 1],
    ] as const)
      for (const transposed of [false, true]) {
        test(`${share} sharing lanes, ${rows} rows, ${columns} column groups, ${transposed ? "transposed" : "plain"}`, async (context) => {
          const { traits } = await getDevice();
          if (share > (traits.subgroups ? traits.subgroupMinSize : 1)) return context.skip("subgroups are smaller");
          const tile: Tile = { lanes: 8, share, rows, columns };
          const spec = specOf({ size: [20, 72, 12], a: { transposed }, b: { transposed: !transposed } });
          expect(await errorOf(spec, tiledMatmul(spec, tile, 1))).toBeLessThan(TOLERANCE);
        });
      }

  test("without subgroups the chosen kernel asks for none and is right", async () => {
    const { traits } = await getDevice();
    const spec = specOf({ size: [30, 45, 50], bias: true });
    const program = matmulProgram(spec, { ...traits, subgroups: false });
    expect(program.launches.every((launch) => !launch.wgsl.includes("subgroup"))).toBe(true);
    expect(await errorOf(spec, program)).toBeLessThan(TOLERANCE);
  });

  test("more tiles than one grid dimension holds", async () => {
    const { traits } = await getDevice();
    const spec = specOf({ size: [1, 1, 4], batch: [70_000, 1] });
    expect(await errorOf(spec, matmulProgram(spec, traits))).toBeLessThan(TOLERANCE);
  });
});
