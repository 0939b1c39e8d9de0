import type { Tensor } from "@omni/core";
import type { Schedule } from "./timesteps.ts";
import type { Field, Solver } from "./velocity.ts";

/** A solver that learns from the steps before: each run starts one of its own. */
export interface MultistepSolver {
  /** @param schedule the times that the run will walk through */
  start(schedule: Schedule): Multistep;
}

/** A run of a multistep solver. Its steps must come in the schedule's order. */
export interface Multistep {
  /**
   * One step from time t to the earlier time tNext.
   *
   * @returns x at tNext, shaped as xt
   */
  step(field: Field, xt: Tensor, t: number, tNext: number): Tensor;
  /** What later steps will read: to be realised with a step's result, and not to be disposed while it is listed. */
  readonly kept: readonly Tensor[];
}

/** Any solver as a run: one that only looks at its own step keeps nothing. */
export function startSolver(solver: Solver | MultistepSolver, schedule: Schedule): Multistep {
  return typeof solver === "function" ? { step: solver, kept: [] } : solver.start(schedule);
}
