import { describe, expect, test } from "vitest";
import { getDevice } from "../runtime/device.ts";
import type { Block } from "./blocks.wgsl.ts";
import { matmulProgram } from "./matmul.ts";
import { blockedMatmul, chooseBlocks } from "./matmul-blocks.ts";
import { type Case, CASES, errorOf, specOf, TOLERANCE } from "./matmul.fixture.ts";
import { SOFTWARE_TRAITS } from "./traits.fixture.ts";

// a browser's software adapter is Node's: what takes minutes to compile is compiled once
const { software } = (await getDevice()).traits;
const GPU = { ...SOFTWARE_TRAITS, software: false, maxWorkgroupStorage: 32768 };

const LARGE: Block = { rows: 128, columns: 128, laneRows: 8, laneColumns: 8, double: false };
const MIDDLE: Block = { rows: 64, columns: 64, laneRows: 8, laneColumns: 4, double: true };
const SMALL: Block = { rows: 32, columns: 32, laneRows: 4, laneColumns: 4, double: true };

/** Edges of each block with each layout; the large ones take software adapters ten seconds to compile, so that few meet them. */
const BLOCKS: readonly (readonly [name: string, block: Block, given: Case])[] = [
  ["plain, odd", SMALL, { size: [67, 69, 35], bias: true }],
  ["A transposed, halves", SMALL, { size: [68, 36, 40], a: { transposed: true, stored: "f16" }, bias: true }],
  ["bytes", { ...SMALL, double: false }, { size: [37, 68, 45], b: { transposed: true, stored: "int8" }, scale: true }],
  ["both transposed", SMALL, { size: [35, 67, 51], a: { transposed: true }, b: { transposed: true, stored: "bf16" } }],
  ["whole blocks", SMALL, { size: [64, 64, 64] }],
  ["bytes", MIDDLE, { size: [70, 132, 45], b: { transposed: true, stored: "int8" }, scale: true, bias: true }],
  ["A transposed, halves", MIDDLE, { size: [132, 68, 40], a: { transposed: true, stored: "f16" } }],
  ["B transposed", { ...LARGE, double: true }, { size: [132, 260, 40], b: { transposed: true }, bias: true }],
];

describe("matmul on GPUs", () => {
  for (const [name, given] of Object.entries(CASES))
    test(`${name} equals the float64 product`, async () => {
      const spec = specOf(given);
      const program = matmulProgram(spec, GPU);
      expect(program.launches.every(({ wgsl }) => !wgsl.includes("subgroup"))).toBe(true);
      expect(await errorOf(spec, program)).toBeLessThan(TOLERANCE);
    });

  for (const [name, block, given] of BLOCKS)
    test(`blocks of ${block.rows} rows, ${block.double ? "two stages" : "one stage"}: ${name}`, async () => {
      const spec = specOf(given);
      expect(await errorOf(spec, blockedMatmul(spec, block, 1))).toBeLessThan(TOLERANCE);
    });

  test("parts of k are whole stages, and a bias and scales count once", async () => {
    const spec = specOf({
      size: [34, 36, 690],
      batch: [1, 2],
      b: { transposed: true, stored: "int8" },
      scale: true,
      bias: true,
    });
    const program = blockedMatmul(spec, SMALL, 3);
    expect(program.launches.length).toBe(2);
    expect(await errorOf(spec, program)).toBeLessThan(TOLERANCE);
  });

  // 70,000 workgroups with barriers are a minute of a software adapter
  test.skipIf(software)("more blocks than one grid dimension holds", async () => {
    const spec = specOf({ size: [2, 2, 4], batch: [70_000, 1] });
    expect(await errorOf(spec, matmulProgram(spec, GPU))).toBeLessThan(TOLERANCE);
  });

  test("more vectors than one grid dimension holds", async () => {
    const spec = specOf({ size: [1, 1, 4], batch: [70_000, 1] });
    expect(await errorOf(spec, matmulProgram(spec, GPU))).toBeLessThan(TOLERANCE);
  });
});

describe("chooseBlocks", () => {
  const rows = (m: number, n: number, k: number, layers = 1, traits = GPU) =>
    chooseBlocks(m, n, k, layers, traits)[0]?.block.rows;

  test("blocks are as large as the product fills a GPU with", () => {
    expect(rows(4096, 4096, 4096)).toBe(128);
    expect(rows(512, 512, 256)).toBe(32);
    expect(rows(20, 4096, 4096)).toBe(32);
  });

  test("k is split where a small C would leave a GPU idle, and only there", () => {
    expect(chooseBlocks(32, 32, 65536, 1, GPU)[0]?.splits).toBeGreaterThan(100);
    expect(chooseBlocks(4096, 4096, 65536, 1, GPU)[0]?.splits).toBe(1);
    expect(chooseBlocks(32, 32, 500, 1, GPU)[0]?.splits).toBe(1);
  });

  test("blocks fit the adapter's workgroups and their memory", () => {
    expect(rows(4096, 4096, 4096, 1, { ...GPU, maxWorkgroupSize: 128 })).toBe(64);
    expect(chooseBlocks(4096, 4096, 4096, 1, { ...GPU, maxWorkgroupStorage: 16384 })[0]?.block).toEqual(LARGE);
    expect(chooseBlocks(4096, 4096, 4096, 1, GPU)[0]?.block.double).toBe(true);
  });
});
