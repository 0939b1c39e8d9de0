import { realize, tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import { euler } from "./euler.ts";
import { guidedVelocity } from "./guidance.ts";
import type { Guidance } from "./guidance.ts";
import { startSolver } from "./multistep.ts";
import type { MultistepSolver } from "./multistep.ts";
import type { Schedule } from "./timesteps.ts";
import type { BranchVelocity, Solver } from "./velocity.ts";

/** What a caller learns after each step. */
export interface SampleProgress {
  /** Steps done, from 1. */
  readonly step: number;
  readonly steps: number;
  /** Time reached: 0 after the last step. */
  readonly t: number;
  /** Latents at that time; valid until the callback's promise settles. */
  readonly xt: Tensor;
}

export interface SampleOptions<C> {
  readonly velocity: BranchVelocity<C>;
  /** Conditions and how they are guided. */
  readonly guidance: Guidance<C>;
  /** Standard normal, [B, ...]; stays the caller's. */
  readonly noise: Tensor;
  /** Falling times, as `flowSchedule` makes them. */
  readonly schedule: Schedule;
  /** Default `euler`. */
  readonly solver?: Solver | MultistepSolver;
  readonly onStep?: (progress: SampleProgress) => void | Promise<void>;
  /** Checked before each step. */
  readonly signal?: AbortSignal;
}

/**
 * Integrates dx/dt = v from noise to data, one realised step at a time.
 *
 * @returns clean latents, shaped as `noise`, realised; the caller disposes them
 * @throws the signal's reason when aborted
 */
export async function sample<C>({
  velocity,
  guidance,
  noise,
  schedule,
  solver = euler,
  onStep,
  signal,
}: SampleOptions<C>): Promise<Tensor> {
  const batch = noise.shape[0] ?? 1;
  const steps = schedule.length - 1;
  const run = startSolver(solver, schedule);
  let xt = noise;
  let kept: readonly Tensor[] = [];
  const release = (held: readonly Tensor[], wanted: readonly Tensor[]): void => {
    for (const x of new Set(held)) if (x !== noise && !wanted.includes(x)) x.dispose();
  };
  for (const [step, t] of schedule.slice(0, -1).entries()) {
    if (signal?.aborted) {
      release([xt, ...kept], []);
      throw signal.reason;
    }
    const tNext = schedule[step + 1] ?? 0;
    const guided = guidedVelocity(velocity, guidance, step, steps);
    const next = run.step((x, time) => guided(x, filled(batch, time)), xt, t, tNext);
    const needed = run.kept;
    await realize([next, ...needed]);
    release([xt, ...kept], [next, ...needed]);
    [xt, kept] = [next, needed];
    await onStep?.({ step: step + 1, steps, t: tNext, xt });
  }
  release(kept, [xt]);
  return xt;
}

/** [B] of one time, as a leaf: a new value a step must not be a new graph. */
function filled(batch: number, t: number): Tensor {
  return tensor(new Float32Array(batch).fill(t));
}
