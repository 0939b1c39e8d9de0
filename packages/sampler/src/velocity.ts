import type { Tensor } from "@omni/core";

/**
 * A flow model as the sampler sees it: the velocity dx/dt at x_t under some conditions.
 *
 * @param xt noised latents, [B, ...]
 * @param t time in [0, 1], [B]; 1 is noise
 * @param conditions whatever the model takes; the sampler only passes it on
 * @returns velocity, shaped as xt
 */
export type Velocity<C> = (xt: Tensor, t: Tensor, conditions: C) => Tensor;

/**
 * The velocity under several sets of conditions at one point: the branches of guidance. A model may run them one by one
 * (`eachBranch`) or as one batch.
 *
 * @returns one velocity a branch, each shaped as xt
 */
export type BranchVelocity<C> = (xt: Tensor, t: Tensor, branches: readonly C[]) => readonly Tensor[];

/** Runs the branches one by one: least memory. */
export function eachBranch<C>(velocity: Velocity<C>): BranchVelocity<C> {
  return (xt, t, branches) => branches.map((conditions) => velocity(xt, t, conditions));
}

/** The velocity field that a solver integrates within one step: conditions and guidance already applied. */
export type Field = (xt: Tensor, t: number) => Tensor;

/**
 * One step of a solver from time t to the earlier time tNext.
 *
 * @returns x at tNext, shaped as xt
 */
export type Solver = (field: Field, xt: Tensor, t: number, tNext: number) => Tensor;
