import type { Ceiling, ContenderResult } from "../record/cell-record.ts";
import type { ContenderId } from "../contenders/contender.ts";
import type { GpuCounts, GpuUse } from "./gpu-counter.ts";

/** What a cell is to do. */
export interface CellJob {
  readonly op: string;
  readonly contenders: readonly ContenderId[];
  readonly rounds: number;
  /** Milliseconds for all rounds. */
  readonly budget: number;
  readonly sizes: "full" | "tiny";
  /** Where an earlier commit is checked out, if one takes part. */
  readonly earlier: string | null;
}

/** A job, or only the question which adapter there is. */
export type CellRequest = CellJob | "probe";

/** What the process or page of a cell tells as it goes: if it ends early, the last words say who was at work. */
export type CellEvent =
  | { readonly type: "adapter"; readonly name: string; readonly software: boolean; readonly runtimeVersion: string }
  | { readonly type: "at"; readonly contender: ContenderId | "ceilings"; readonly doing: string }
  | { readonly type: "result"; readonly result: ContenderResult }
  | {
      readonly type: "done";
      readonly flops: number | null;
      readonly bytes: number | null;
      readonly ceilings: { readonly fma: Ceiling; readonly copy: Ceiling };
      readonly checked: string;
      readonly counts: GpuCounts | null;
      readonly peakBytes: number;
      readonly before: GpuUse | null;
    };

export type Tell = (event: CellEvent) => void;
