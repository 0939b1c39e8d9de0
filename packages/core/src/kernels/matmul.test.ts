import { describe, expect, test } from "vitest";
import { getDevice } from "../runtime/index.ts";
import type { Program } from "./kernel.ts";
import { type MatmulSpec, matmulProgram, type Operand, type Tile, tiledMatmul } from "./matmul.ts";
import { noise, runProgram, worstError } from "./run-program.ts";

// f32 sums of at most 700 products of values below 1: rounding stays below 700 * 2^-24 * 10.
const TOLERANCE = 4e-5;

function reference(spec: MatmulSpec, a: Float32Array, b: Float32Array, bias?: Float32Array): Float64Array {
  const [n0, n1] = spec.batch;
  const c = new Float64Array(n0 * n1 * spec.m * spec.n);
  const at = (x: Operand, i0: number, i1: number, row: number, col: number) =>
    x.offset + i0 * x.batchStrides[0] + i1 * x.batchStrides[1] + row * x.rowStride + col * x.colStride;
  for (let i0 = 0; i0 < n0; i0++)
    for (let i1 = 0; i1 < n1; i1++)
      for (let row = 0; row < spec.m; row++)
        for (let col = 0; col < spec.n; col++) {
          let sum = bias?.[col] ?? 0;
          for (let k = 0; k < spec.k; k++)
            sum += (a[at(spec.a, i0, i1, row, k)] ?? NaN) * (b[at(spec.b, i0, i1, k, col)] ?? NaN);
          c[((i0 * n1 + i1) * spec.m + row) * spec.n + col] = sum;
        }
  return c;
}

interface Layout {
  readonly transposed?: boolean;
  readonly offset?: number;
  /** Elements between rows beyond the row's own length. */
  readonly gap?: number;
  /** Batch axes that repeat the matrix. */
  readonly broadcast?: readonly [boolean, boolean];
}

function operand(rows: number, cols: number, batch: readonly [number, number], layout: Layout = {}): Operand {
  const { transposed = false, offset = 0, gap = 0, broadcast = [false, false] } = layout;
  const stride = (transposed ? rows : cols) + gap;
  const matrix = stride * (transposed ? cols : rows);
  const inner = broadcast[1] ? 0 : matrix;
  const outer = broadcast[0] ? 0 : (broadcast[1] ? 1 : batch[1]) * matrix;
  return {
    offset,
    batchStrides: [outer, inner],
    rowStride: transposed ? 1 : stride,
    colStride: transposed ? stride : 1,
  };
}

const extent = (x: Operand, rows: number, cols: number, batch: readonly [number, number]): number =>
  x.offset +
  (batch[0] - 1) * x.batchStrides[0] +
  (batch[1] - 1) * x.batchStrides[1] +
  (rows - 1) * x.rowStride +
  (cols - 1) * x.colStride +
  1;

interface Case {
  readonly size: readonly [m: number, n: number, k: number];
  readonly batch?: readonly [number, number];
  readonly a?: Layout;
  readonly b?: Layout;
  readonly bias?: boolean;
}

function specOf({ size: [m, n, k], batch = [1, 1], a, b, bias = false }: Case): MatmulSpec {
  return { m, n, k, batch, a: operand(m, k, batch, a), b: operand(k, n, batch, b), bias };
}

async function errorOf(spec: MatmulSpec, program: Program): Promise<number> {
  const a = noise(extent(spec.a, spec.m, spec.k, spec.batch), 1);
  const b = noise(extent(spec.b, spec.k, spec.n, spec.batch), 2);
  const bias = spec.bias ? noise(spec.n, 3) : undefined;
  const [c] = await runProgram(program, bias ? [a, b, bias] : [a, b], [
    spec.batch[0] * spec.batch[1] * spec.m * spec.n,
  ]);
  return worstError(c ?? [], reference(spec, a, b, bias));
}

const CASES: Record<string, Case> = {
  "one element": { size: [1, 1, 1] },
  "whole tiles": { size: [64, 64, 32] },
  "odd everything": { size: [33, 17, 29], bias: true },
  "odd, wide": { size: [5, 131, 66] },
  "A transposed": { size: [40, 36, 20], a: { transposed: true } },
  "A transposed, odd": { size: [37, 19, 23], a: { transposed: true }, bias: true },
  "B transposed": { size: [40, 36, 20], b: { transposed: true }, bias: true },
  "B transposed, odd": { size: [21, 35, 13], b: { transposed: true } },
  "both transposed": { size: [36, 68, 24], a: { transposed: true }, b: { transposed: true } },
  "offsets and gaps": { size: [12, 20, 16], a: { offset: 8, gap: 4 }, b: { offset: 3, gap: 5 } },
  "odd offset of A": { size: [12, 20, 16], a: { offset: 1 }, b: { offset: 4 } },
  "k of two, rows aligned": { size: [32, 32, 2], a: { transposed: true } },
  batched: { size: [18, 40, 16], batch: [2, 3] },
  "A repeats over the outer axis": { size: [18, 40, 16], batch: [2, 3], a: { broadcast: [true, false] } },
  "B repeats over both axes": { size: [9, 12, 7], batch: [2, 3], b: { broadcast: [true, true] }, bias: true },
  "one row": { size: [1, 96, 192], bias: true },
  "one column": { size: [50, 1, 64] },
  "small C, long k": { size: [12, 20, 700], bias: true },
  "small C, long odd k, batched": { size: [7, 9, 693], batch: [1, 2], a: { transposed: true } },
};

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
