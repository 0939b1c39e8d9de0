import { describe, expect, test } from "vitest";
import { getDevice } from "../runtime/index.ts";
import {
  attentionBackwardProgram,
  attentionForwardProgram,
  type AttentionSpec,
  type HeadRows,
  type MaskView,
} from "./attention.ts";
import type { DeviceTraits } from "./kernel.ts";
import { noise, runProgram, worstError } from "./run-program.ts";

// Scores of at most 256 products and exponentials good to 1e-6 relative, summed over at most 200 keys.
const TOLERANCE = 2e-5;

interface Case {
  readonly batch?: number;
  readonly heads?: number;
  /** [queries, keys, headDim] */
  readonly size: readonly [number, number, number];
  /** Heads interleaved in rows, [B, N, H, D] with gaps, as a fused projection gives them; otherwise [B, H, N, D]. */
  readonly interleaved?: boolean;
  readonly offset?: number;
  readonly mask?: "full" | "key" | "rows";
  readonly causal?: boolean;
  /** Sequences packed in a row: in order, or strewn; keys have one that no query has, and queries one that no key has. */
  readonly segments?: "in order" | "strewn";
}

function specOf({
  batch = 1,
  heads = 2,
  size: [queries, keys, headDim],
  interleaved = false,
  offset = 0,
  mask,
  causal = false,
  segments,
}: Case): AttentionSpec {
  const rowsOf = (count: number): HeadRows =>
    interleaved
      ? { offset, batchStride: count * heads * 3 * headDim, headStride: headDim, rowStride: heads * 3 * headDim }
      : { offset, batchStride: heads * count * headDim, headStride: count * headDim, rowStride: headDim };
  const masks: Record<"full" | "key" | "rows", MaskView> = {
    full: { offset: 0, strides: [heads * queries * keys, queries * keys, keys, 1] },
    key: { offset: 0, strides: [keys, 0, 0, 1] },
    rows: { offset: 0, strides: [0, 0, keys, 1] },
  };
  return {
    batch,
    heads,
    queries,
    keys,
    headDim,
    scale: 1 / Math.sqrt(headDim),
    q: rowsOf(queries),
    k: rowsOf(keys),
    v: rowsOf(keys),
    ...(mask ? { mask: masks[mask] } : {}),
    causal,
    segments: segments !== undefined,
  };
}

const extent = (s: AttentionSpec, rows: HeadRows, count: number): number =>
  rows.offset +
  (s.batch - 1) * rows.batchStride +
  (s.heads - 1) * rows.headStride +
  (count - 1) * rows.rowStride +
  s.headDim;

/** A tenth of the entries masked out, and all of query 1. */
function maskValues(s: AttentionSpec): Float32Array | undefined {
  if (!s.mask) return undefined;
  const [sb, sh, sq, sk] = s.mask.strides;
  const size = (s.batch - 1) * sb + (s.heads - 1) * sh + (s.queries - 1) * sq + (s.keys - 1) * sk + 1;
  return noise(size, 9).map((value, i) =>
    value > 0.8 || (sq > 0 && Math.floor(i / sq) % s.queries === 1) ? -Infinity : value,
  );
}

/** Queries of segments 0 to 2 and keys of 1 to 4: some queries have no key, and some keys no query. */
function segmentIds(s: AttentionSpec, order: Case["segments"]): Uint32Array | undefined {
  if (!order) return undefined;
  const ids = (count: number, kinds: number, first: number): number[] =>
    Array.from({ length: s.batch * count }, (_, i) =>
      order === "in order" ? first + Math.floor(((i % count) * kinds) / count) : first + ((i * 7) % kinds),
    );
  return Uint32Array.from([...ids(s.queries, 3, 0), ...ids(s.keys, 4, 1)]);
}

/** Attention and its inputs' values, in float64. */
function reference(s: AttentionSpec, order?: Case["segments"]) {
  const q = noise(extent(s, s.q, s.queries), 1);
  const k = noise(extent(s, s.k, s.keys), 2);
  const v = noise(extent(s, s.v, s.keys), 3);
  const mask = maskValues(s);
  const ids = segmentIds(s, order);
  const at = (x: Float32Array, rows: HeadRows, b: number, h: number, n: number, d: number) =>
    x[rows.offset + b * rows.batchStride + h * rows.headStride + n * rows.rowStride + d] ?? NaN;
  const packed = (rows: number): HeadRows => ({
    offset: 0,
    batchStride: rows * s.heads * s.headDim,
    headStride: s.headDim,
    rowStride: s.heads * s.headDim,
  });
  const packedIndex = (rows: number, b: number, h: number, n: number, d: number) =>
    ((b * rows + n) * s.heads + h) * s.headDim + d;
  const o = new Float64Array(s.batch * s.queries * s.heads * s.headDim);
  const dO = noise(o.length, 4);
  const dq = new Float64Array(o.length);
  const dk = new Float64Array(s.batch * s.keys * s.heads * s.headDim);
  const dv = new Float64Array(dk.length);
  const add = (x: Float64Array, index: number, value: number) => {
    x[index] = (x[index] ?? 0) + value;
  };
  const lse = new Float64Array(s.batch * s.heads * s.queries);
  for (let b = 0; b < s.batch; b++)
    for (let h = 0; h < s.heads; h++)
      for (let i = 0; i < s.queries; i++) {
        const scores = Array.from({ length: s.keys }, (_, j) => {
          let sum = 0;
          for (let d = 0; d < s.headDim; d++) sum += at(q, s.q, b, h, i, d) * at(k, s.k, b, h, j, d);
          const [sb, sh, sq, sk] = s.mask?.strides ?? [0, 0, 0, 0];
          if (s.causal === true && j > i) return -Infinity;
          if (ids && ids[b * s.queries + i] !== ids[s.batch * s.queries + b * s.keys + j]) return -Infinity;
          return sum * s.scale + (mask ? (mask[b * sb + h * sh + i * sq + j * sk] ?? NaN) : 0);
        });
        const top = Math.max(...scores);
        const weights = scores.map((score) => (top === -Infinity ? 0 : Math.exp(score - top)));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        lse[(b * s.heads + h) * s.queries + i] = total === 0 ? 0 : top + Math.log(total);
        for (let d = 0; d < s.headDim; d++) {
          let sum = 0;
          for (const [j, weight] of weights.entries()) sum += weight * at(v, s.v, b, h, j, d);
          o[packedIndex(s.queries, b, h, i, d)] = total === 0 ? 0 : sum / total;
        }
        // ds = p (do·v - Σ_j p do·v), dq = scale ds k, dk = scale ds q, dv = p do.
        const p = weights.map((value) => (total === 0 ? 0 : value / total));
        const gradient = (d: number) => dO[packedIndex(s.queries, b, h, i, d)] ?? NaN;
        const dp = p.map((_, j) =>
          Array.from({ length: s.headDim }, (_, d) => gradient(d) * at(v, s.v, b, h, j, d)).reduce((x, y) => x + y, 0),
        );
        const mean = p.reduce((sum, value, j) => sum + value * (dp[j] ?? 0), 0);
        for (const [j, value] of p.entries())
          for (let d = 0; d < s.headDim; d++) {
            const ds = value * ((dp[j] ?? 0) - mean) * s.scale;
            add(dq, packedIndex(s.queries, b, h, i, d), ds * at(k, s.k, b, h, j, d));
            add(dk, packedIndex(s.keys, b, h, j, d), ds * at(q, s.q, b, h, i, d));
            add(dv, packedIndex(s.keys, b, h, j, d), value * gradient(d));
          }
      }
  // the bits of the ids: buffers are filled from floats
  const extra = [...(mask ? [mask] : []), ...(ids ? [new Float32Array(ids.buffer)] : [])];
  return { q, k, v, extra, o, lse, dO, dORows: packed(s.queries), dq, dk, dv };
}

async function forwardError(s: AttentionSpec, traits: DeviceTraits, order?: Case["segments"]): Promise<number> {
  const { q, k, v, extra, o, lse } = reference(s, order);
  const [o1, lse1] = await runProgram(attentionForwardProgram(s, traits), [q, k, v, ...extra], [o.length, lse.length]);
  return Math.max(worstError(o1 ?? [], o), worstError(lse1 ?? [], lse));
}

async function backwardError(s: AttentionSpec, traits: DeviceTraits, order?: Case["segments"]): Promise<number> {
  const { q, k, v, extra, o, lse, dO, dORows, dq, dk, dv } = reference(s, order);
  const inputs = [q, k, v, Float32Array.from(o), Float32Array.from(lse), dO, ...extra];
  const program = attentionBackwardProgram({ ...s, dO: dORows }, traits);
  const made = await runProgram(program, inputs, [dq.length, dk.length, dv.length]);
  return Math.max(...[dq, dk, dv].map((expected, index) => worstError(made[index] ?? [], expected)));
}

const CASES: Record<string, Case> = {
  "one of each": { size: [1, 1, 1], heads: 1 },
  "whole blocks": { size: [32, 64, 32] },
  "odd counts": { batch: 2, size: [37, 45, 32] },
  "one query": { size: [1, 19, 16] },
  "one key": { size: [5, 1, 8] },
  "narrow odd head": { size: [9, 11, 5], heads: 3 },
  "wide head": { size: [10, 12, 128], heads: 1 },
  "widest head": { size: [5, 9, 256], heads: 1 },
  "wide odd head": { size: [6, 10, 81], heads: 1 },
  "widest odd head, over several rounds": { batch: 2, size: [21, 37, 163] },
  "widest head with a mask, causal": { size: [21, 37, 132], mask: "full", causal: true, interleaved: true },
  "widest head with segments": { size: [37, 21, 160], mask: "key", segments: "strewn" },
  "heads interleaved in rows": { batch: 2, size: [18, 20, 16], interleaved: true, offset: 16 },
  "unaligned offset": { size: [8, 9, 8], offset: 3 },
  "a mask for each query, one all masked": { batch: 2, size: [13, 40, 16], mask: "full" },
  "a mask of keys": { batch: 2, size: [9, 40, 16], mask: "key" },
  "causal, over several blocks": { batch: 2, size: [75, 75, 16], causal: true },
  "causal, with more queries than keys": { size: [41, 9, 8], causal: true },
  "causal, with more keys than queries": { size: [9, 70, 8], causal: true },
  "a mask shared by heads": { batch: 2, size: [9, 21, 16], mask: "rows" },
  "segments in order, over several blocks": { batch: 2, size: [75, 90, 16], segments: "in order" },
  "segments strewn": { batch: 2, size: [37, 21, 5], segments: "strewn" },
  "causal segments": { batch: 2, size: [75, 75, 16], causal: true, segments: "in order" },
  "segments with a mask for each query": { batch: 2, size: [40, 37, 16], mask: "full", segments: "strewn" },
  "causal with a mask for each query, one all masked": { batch: 2, size: [37, 41, 12], causal: true, mask: "full" },
  "causal with a mask of keys": { batch: 2, size: [37, 9, 12], causal: true, mask: "key" },
  "causal strewn segments with a mask": { size: [21, 37, 7], causal: true, mask: "rows", segments: "strewn" },
  "segments with a mask of keys": { size: [9, 40, 8], mask: "key", segments: "in order" },
};

describe("attention", () => {
  for (const [name, given] of Object.entries(CASES)) {
    const spec = specOf(given);
    test(`${name}: o and lse equal float64 softmax`, async () => {
      const { traits } = await getDevice();
      expect(await forwardError(spec, traits, given.segments)).toBeLessThan(TOLERANCE);
    });

    test(`${name}: dq, dk and dv equal float64 gradients`, async () => {
      const { traits } = await getDevice();
      expect(await backwardError(spec, traits, given.segments)).toBeLessThan(TOLERANCE);
    });
  }

  test.each([20, 136])("of width %i without subgroups, and with smaller ones", async (width) => {
    const { traits } = await getDevice();
    const spec = specOf({ size: [18, 21, width], mask: "full", segments: "strewn" });
    expect(await forwardError(spec, { ...traits, subgroups: false }, "strewn")).toBeLessThan(TOLERANCE);
    expect(await backwardError(spec, { ...traits, subgroups: false }, "strewn")).toBeLessThan(TOLERANCE);
    if (!traits.subgroups) return;
    expect(await forwardError(spec, { ...traits, subgroupMinSize: 4 }, "strewn")).toBeLessThan(TOLERANCE);
    expect(await backwardError(spec, { ...traits, subgroupMinSize: 4 }, "strewn")).toBeLessThan(TOLERANCE);
  });
});
