import type { CellRecord, ContenderResult, Provenance } from "./cell-record.ts";

export const provenance: Provenance = {
  runtime: "node",
  runtimeVersion: "20.0.0",
  adapter: "llvmpipe 25",
  adapterKind: "lavapipe",
  commit: "abc1234",
  machine: "a processor, 2 cores",
  versions: { tfjs: "4.22.0", jax: "0.1.25", ort: "1.30.0" },
  sizes: "full",
};

/** A contender with the same time in five rounds. */
export const timed = (id: ContenderResult["id"], ms: number, cold = 100): ContenderResult => ({
  id,
  version: "",
  status: "timed",
  cold,
  error: 1e-7,
  repeats: 1,
  times: [ms, ms, ms, ms, ms],
});

/** matmul 512³ on an adapter of 100 GFLOP/s and 8 GB/s, ours at 10 ms. */
export const record = (changes: Partial<CellRecord> = {}): CellRecord => ({
  op: "matmul-512",
  provenance,
  when: "2026-01-02T03:04:05.000Z",
  load: 0.1,
  rounds: 5,
  flops: 2 * 512 ** 3,
  bytes: null,
  ceilings: { fma: { amount: 1e9, times: [10, 10, 10] }, copy: { amount: 8e7, times: [10, 10, 10] } },
  contenders: [timed("ours", 10), timed("raw", 9), timed("tfjs", 50), timed("jax", 30), timed("ort", 25)],
  checked: "float64",
  counts: { dispatches: 1, submits: 1, buffers: 0, bindGroups: 0, pipelines: 0 },
  peakBytes: 2 ** 20,
  ...changes,
});
