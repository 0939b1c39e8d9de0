import type { ContenderId } from "../contenders/contender.ts";
import type { AdapterKind } from "../record/cell-record.ts";

/** What is asked of an op. */
export type Rule =
  /** Time of another contender over ours; "best peer" is the fastest right one of the libraries on the same adapter. */
  | { readonly kind: "times faster"; readonly than: ContenderId | "best peer"; readonly atLeast: number }
  /** Ours as a share of what the adapter multiplies or copies at most. */
  | { readonly kind: "share of"; readonly ceiling: "fma" | "copy"; readonly atLeast: number }
  /** Share of the raw kernel's speed, where that takes 5 ms or more. */
  | { readonly kind: "share of raw"; readonly atLeast: number }
  /** Counted on one steady run. */
  | {
      readonly kind: "at most";
      readonly what: "dispatches" | "submits" | "buffers" | "bindGroups" | "pipelines";
      readonly count: number;
    }
  /** Median, ms. */
  | { readonly kind: "time"; readonly atMost: number }
  /** First call, ms. */
  | { readonly kind: "cold"; readonly atMost: number }
  /** Time of the gradient alone over that of the forward pass, which is measured beside it. */
  | { readonly kind: "backward"; readonly atMost: number };

/** A row of the targets. */
export interface Target {
  readonly title: string;
  readonly adapters: readonly AdapterKind[];
  /** Ids of ops. */
  readonly ops: readonly string[];
  readonly rules: readonly Rule[];
}
