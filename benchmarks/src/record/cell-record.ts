import type { ContenderId } from "../contenders/contender.ts";
import type { GpuCounts, GpuUse } from "../cell/gpu-counter.ts";

export const RUNTIMES = ["node", "chromium", "deno", "bun"] as const;
export type Runtime = (typeof RUNTIMES)[number];

export const ADAPTER_KINDS = ["lavapipe", "swiftshader", "gpu", "other"] as const;
export type AdapterKind = (typeof ADAPTER_KINDS)[number];

/** How a contender fared with one op. */
export type Outcome =
  | {
      readonly status: "timed";
      /** First call, with all that is compiled for it, ms. */
      readonly cold: number;
      /** Relative root-mean-square error of the answer. */
      readonly error: number;
      /** Runs of one measurement, back to back. */
      readonly repeats: number;
      /** Milliseconds a run, by round. */
      readonly times: readonly number[];
    }
  /** The answer is not the op's: a time would mean nothing. */
  | { readonly status: "wrong"; readonly cold: number; readonly error: number }
  /** It could not start, or threw, or ended the process. */
  | { readonly status: "failed"; readonly cause: string }
  /** The library has no such op. */
  | { readonly status: "absent" };

export type ContenderResult = { readonly id: ContenderId; readonly version: string } & Outcome;

/** A ceiling of the adapter, measured in the same rounds. */
export interface Ceiling {
  /** Operations or bytes of a run. */
  readonly amount: number;
  readonly times: readonly number[];
}

/** Where and of what a measurement was made. What is equal here is comparable, and need not be measured again. */
export interface Provenance {
  readonly runtime: Runtime;
  readonly runtimeVersion: string;
  readonly adapter: string;
  readonly adapterKind: AdapterKind;
  /** Of the sources that are measured and of these that measure, with "+" where files differ from it. */
  readonly commit: string;
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly sizes: "full" | "tiny";
}

/** One op on one adapter in one runtime. */
export interface CellRecord {
  readonly op: string;
  readonly provenance: Provenance;
  /** When it was measured, ISO 8601. */
  readonly when: string;
  /** Processes that wanted a core when it began, as a share of the cores. */
  readonly load: number;
  /** Rounds that were asked for; time may have ended them earlier. */
  readonly rounds: number;
  readonly flops: number | null;
  readonly bytes: number | null;
  readonly ceilings: { readonly fma: Ceiling; readonly copy: Ceiling } | null;
  readonly contenders: readonly ContenderResult[];
  /** How answers were checked. */
  readonly checked: string;
  /** Of one steady run of ours; null where ours did not run. */
  readonly counts: GpuCounts | null;
  /** Most bytes of ours that lay in buffers at once. */
  readonly peakBytes: number;
  /** What the state before asks of WebGPU; not there, or null, where it did not run. */
  readonly before?: GpuUse | null;
}
