import { tensor } from "@omni/core";
import type { Solver } from "./velocity.ts";

/**
 * Heun's step: an Euler step to t', then the mean of both ends' velocities. Two evaluations a step, one for the step that
 * ends at 0 (where the model has nothing left to say).
 *
 * x̂ = x_t + (t' - t) v(x_t, t),   x_{t'} = x_t + (t' - t)/2 · (v(x_t, t) + v(x̂, t'))
 *
 * With the "diffusers" schedule equal to diffusers' FlowMatchHeunDiscreteScheduler.
 */
export const heun: Solver = (field, xt, t, tNext) => {
  const dt = tensor([tNext - t]);
  const v = field(xt, t);
  const euler = xt.add(v.mul(dt));
  if (tNext === 0) return euler;
  return xt.add(v.add(field(euler, tNext)).mul(0.5).mul(dt));
};
