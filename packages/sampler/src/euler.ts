import { tensor } from "@omni/core";
import type { Solver } from "./velocity.ts";

/**
 * Euler's step: x_{t'} = x_t + (t' - t) v(x_t, t). One evaluation a step.
 *
 * With the "diffusers" schedule equal to diffusers' FlowMatchEulerDiscreteScheduler.
 */
export const euler: Solver = (field, xt, t, tNext) => {
  // a leaf, not a constant: the graph keeps its structure from step to step, so its plan is reused
  const dt = tensor([tNext - t]);
  return xt.add(field(xt, t).mul(dt));
};
