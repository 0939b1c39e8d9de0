import { DeviceError } from "../base/errors.ts";
import type { Node } from "../graph/node.ts";
import { formatBytes, type BufferPool } from "../runtime/buffer-pool.ts";
import { sizeClass } from "../runtime/size-class.ts";
import type { PlanSpec } from "./spec.ts";

/** Bytes of a plan's buffers by what they are for. */
export interface PlanBytes {
  /** Tensors on the device that it reads or writes in place. */
  readonly tensors: number;
  /** Copies of values that come from the host. */
  readonly uploads: number;
  /** What lies between, at places that are used again and again. Plans share them: each needs as many while it runs. */
  readonly temporaries: number;
  /** What it leaves on the device. */
  readonly results: number;
}

/** What a plan will take. */
export interface PlanReport {
  /** Kernels that it runs. */
  readonly dispatches: number;
  /** Their names, in order. */
  readonly labels: readonly string[];
  /** Bytes of all buffers that it needs at once. */
  readonly peakBytes: number;
  /** Its parts. */
  readonly bytes: PlanBytes;
}

export const isUpdate = (node: Node): boolean => node.op?.kind === "update";

const bufferBytes = (bytes: number): number => sizeClass(Math.max(16, Math.ceil(bytes / 16) * 16));
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** @param updates roots that are tokens of updates, which leave nothing of their own */
export function reportOf({ leaves, steps, slots, roots }: PlanSpec, updates: readonly boolean[]): PlanReport {
  const of = (kind: "host" | "device"): number =>
    sum(leaves.filter((leaf) => leaf.kind === kind).map((leaf) => bufferBytes(leaf.bytes)));
  const bytes = {
    tensors: of("device"),
    uploads: of("host"),
    temporaries: sum(slots.map(bufferBytes)),
    results: sum(roots.map((root, i) => (updates[i] ? 0 : bufferBytes(root.bytes)))),
  };
  const peakBytes = bytes.tensors + bytes.uploads + bytes.temporaries + bytes.results;
  return { dispatches: steps.length, labels: steps.map(({ label }) => label), peakBytes, bytes };
}

/** The error, and what the plan would need as a whole where memory ran out. */
export function withReport(error: unknown, report: () => PlanReport, pool: BufferPool): unknown {
  if (!(error instanceof DeviceError) || error.kind !== "out-of-memory") return error;
  const { dispatches, peakBytes, bytes } = report();
  const { tensors, uploads, temporaries, results } = bytes;
  const parts = Object.entries({ tensors, uploads, temporaries, results }).map(([k, n]) => `${formatBytes(n)} ${k}`);
  return new DeviceError(
    "out-of-memory",
    `realize: ${error.message}\nThe plan of ${dispatches} dispatches needs ${formatBytes(peakBytes)} at once (${parts.join(", ")}); ` +
      `the adapter may take ${formatBytes(pool.budget)}, of which ${formatBytes(pool.liveBytes)} are in use`,
    { cause: error },
  );
}
