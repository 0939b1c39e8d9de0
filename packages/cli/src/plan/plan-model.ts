import type { Tensor } from "@omni/core";
import type { Module } from "@omni/core/nn";

/** A network of a plan, as meta tensors. */
export interface PlanPart {
  readonly name: string;
  readonly module: Module;
}

/** Something that a system does with its parts. */
export interface PlanPhase {
  readonly name: string;
  /** How often. */
  readonly runs: number;
  /** What one run realises. */
  readonly graph: () => readonly Tensor[];
  /** Bytes of earlier runs' results that are kept beside it. Default 0. */
  readonly held?: number;
  /** What to do where one run needs too much memory. */
  readonly remedy?: string;
}

/** What is planned. */
export interface PlanModel {
  /** What it is and how it is run, one line. */
  readonly summary: string;
  readonly parts: readonly PlanPart[];
  readonly phases: readonly PlanPhase[];
}

/** What a plan is asked for. */
export interface PlanTask {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly seconds: number;
  /** Type of the weights on the device. */
  readonly dtype: "f32" | "f16" | "bf16";
  /** Sampling steps; null: the preset's. */
  readonly steps: number | null;
}

/** What a plan depends on of the adapter, bytes. */
export interface PlanLimits {
  /** Null where it is unknown. */
  readonly memory: number | null;
  /** What a kernel may bind. */
  readonly binding: number;
}
