import { packed } from "../base/packed.ts";
import type { Program } from "./kernel.ts";
import type { MatmulSpec, Operand } from "./matmul-spec.ts";
import { noise, runProgram, worstError } from "./run-program.ts";
import type { Stored } from "./snippets/stored.ts";

// f32 sums of at most 700 products of values below 1: rounding stays below 700 * 2^-24 * 10.
export const TOLERANCE = 4e-5;

interface Inputs {
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly scale?: Float32Array;
  readonly bias?: Float32Array;
}

function reference(spec: MatmulSpec, { a, b, scale, bias }: Inputs): Float64Array {
  const [n0, n1] = spec.batch;
  const c = new Float64Array(n0 * n1 * spec.m * spec.n);
  const at = (x: Operand, i0: number, i1: number, row: number, col: number) =>
    x.offset + i0 * x.batchStrides[0] + i1 * x.batchStrides[1] + row * x.rowStride + col * x.colStride;
  for (let i0 = 0; i0 < n0; i0++)
    for (let i1 = 0; i1 < n1; i1++)
      for (let row = 0; row < spec.m; row++)
        for (let col = 0; col < spec.n; col++) {
          let sum = 0;
          for (let k = 0; k < spec.k; k++)
            sum += (a[at(spec.a, i0, i1, row, k)] ?? NaN) * (b[at(spec.b, i0, i1, k, col)] ?? NaN);
          c[((i0 * n1 + i1) * spec.m + row) * spec.n + col] = sum * (scale?.[col] ?? 1) + (bias?.[col] ?? 0);
        }
  return c;
}

interface Layout {
  readonly transposed?: boolean;
  readonly offset?: number;
  /** Elements between rows beyond the row's own length. */
  readonly gap?: number;
  readonly stored?: Stored;
  /** Batch axes that repeat the matrix. */
  readonly broadcast?: readonly [boolean, boolean];
}

function operand(rows: number, cols: number, batch: readonly [number, number], layout: Layout = {}): Operand {
  const { transposed = false, offset = 0, gap = 0, stored = "f32", broadcast = [false, false] } = layout;
  const length = (transposed ? rows : cols) + gap;
  const stride = stored === "int8" ? Math.ceil(length / 4) * 4 : length;
  const matrix = stride * (transposed ? cols : rows);
  const inner = broadcast[1] ? 0 : matrix;
  const outer = broadcast[0] ? 0 : (broadcast[1] ? 1 : batch[1]) * matrix;
  return {
    offset,
    batchStrides: [outer, inner],
    rowStride: transposed ? 1 : stride,
    colStride: transposed ? stride : 1,
    stored,
  };
}

const extent = (x: Operand, rows: number, cols: number, batch: readonly [number, number]): number =>
  x.offset +
  (batch[0] - 1) * x.batchStrides[0] +
  (batch[1] - 1) * x.batchStrides[1] +
  (rows - 1) * x.rowStride +
  (cols - 1) * x.colStride +
  1;

export interface Case {
  readonly size: readonly [m: number, n: number, k: number];
  readonly batch?: readonly [number, number];
  readonly a?: Layout;
  readonly b?: Layout;
  readonly scale?: boolean;
  readonly bias?: boolean;
}

export function specOf({ size: [m, n, k], batch = [1, 1], a, b, scale = false, bias = false }: Case): MatmulSpec {
  return { m, n, k, batch, a: operand(m, k, batch, a), b: operand(k, n, batch, b), scale, bias };
}

/** Noise in steps of 1/64, which every type holds exactly; whole numbers below 64 for bytes. With it, the words of a buffer. */
function storedNoise(size: number, seed: number, stored: Stored): { values: Float32Array; words: Float32Array } {
  const values = noise(Math.ceil(size / 4) * 4, seed);
  if (stored === "f32") return { values, words: values };
  const whole = values.map((value) => Math.trunc(value * 64));
  if (stored === "int8") return { values: whole, words: new Float32Array(Int8Array.from(whole).buffer) };
  const parts = whole.map((value) => value / 64);
  const bytes = packed(parts, stored);
  return { values: parts, words: new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4) };
}

/** The largest error of a program's C, as {@link worstError} counts it; scales are small enough for bytes. */
export async function errorOf(spec: MatmulSpec, program: Program): Promise<number> {
  const a = storedNoise(extent(spec.a, spec.m, spec.k, spec.batch), 1, spec.a.stored ?? "f32");
  const b = storedNoise(extent(spec.b, spec.k, spec.n, spec.batch), 2, spec.b.stored ?? "f32");
  const scale = spec.scale ? noise(spec.n, 4).map((value) => value / 64) : undefined;
  const bias = spec.bias ? noise(spec.n, 3) : undefined;
  const inputs = [a.words, b.words, ...(scale ? [scale] : []), ...(bias ? [bias] : [])];
  const [c] = await runProgram(program, inputs, [spec.batch[0] * spec.batch[1] * spec.m * spec.n]);
  const expected = reference(spec, {
    a: a.values,
    b: b.values,
    ...(scale ? { scale } : {}),
    ...(bias ? { bias } : {}),
  });
  return worstError(c ?? [], expected);
}

export const CASES: Record<string, Case> = {
  "bytes with scales": { size: [20, 36, 44], b: { transposed: true, stored: "int8" }, scale: true, bias: true },
  "bytes, odd k": { size: [5, 10, 37], b: { transposed: true, stored: "int8" }, scale: true },
  "halves, transposed": { size: [24, 40, 36], a: { stored: "f16" }, b: { transposed: true, stored: "bf16" } },
  "one row, transposed halves": { size: [1, 70, 96], b: { transposed: true, stored: "bf16" }, bias: true },
  "one row, odd halves": { size: [1, 33, 99], a: { stored: "f16" }, b: { stored: "f16" }, bias: true },
  "one row, bytes": { size: [1, 70, 61], b: { transposed: true, stored: "int8" }, scale: true, bias: true },
  "one row, long k": { size: [1, 12, 690], b: { transposed: true }, bias: true },
  "one column, transposed, batched": { size: [45, 1, 30], batch: [2, 2], a: { transposed: true }, bias: true },
  "one column, strided vector": { size: [13, 1, 600], b: { gap: 2 }, bias: true },
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
