import type { DType } from "../base/dtype.ts";
import type { View } from "../base/view.ts";
import type { Tuning } from "../kernels/tuning.ts";
import type { Window } from "./window.ts";

/** Where the buffer of a value comes from. */
export type Place =
  | { readonly kind: "leaf"; readonly index: number }
  | { readonly kind: "slot"; index: number }
  | { readonly kind: "root"; readonly index: number };

/** A buffer's worth of data in a plan. */
export interface Value {
  readonly bytes: number;
  place: Place;
  /** First and last step that touches it. */
  first: number;
  last: number;
}

/** A value and how a tensor lies in it. */
export interface Placed {
  readonly value: Value;
  readonly view: View;
}

/** One dispatch, before buffers are known. */
export interface Step {
  readonly label: string;
  /** Path of the module that it works for. */
  readonly scope: string;
  readonly wgsl: string;
  readonly values: readonly Value[];
  /** What of each value is bound; null: all of it. */
  readonly windows: readonly (Window | null)[];
  readonly accesses: readonly ("read" | "read_write")[];
  readonly uniforms: Uint32Array;
  readonly workgroups: readonly [number, number, number];
}

/** What the planner needs of a leaf without holding it. */
export interface LeafSpec {
  readonly kind: "host" | "device";
  readonly bytes: number;
  readonly dtype: DType;
}

/** A kernel of a plan that has other ways to run, with the bytes of its buffers. */
export interface Tunable extends Tuning {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** A plan without a device: the same for every graph of one signature. */
export interface PlanSpec {
  readonly leaves: readonly LeafSpec[];
  readonly steps: readonly Step[];
  /** Bytes of each slot that values share over time. */
  readonly slots: readonly number[];
  /** One of each key. */
  readonly tunable: readonly Tunable[];
  /** For each root: bytes, and the value to copy out at the end, or null where a step writes the root's own buffer. */
  readonly roots: readonly { readonly bytes: number; readonly copyFrom: Value | null }[];
}
