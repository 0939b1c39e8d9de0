import { adamOp, amsgradOp } from "../primitives/optimizer-updates.ts";
import { fusedUpdate, type BaseOptions, type UpdateRule } from "./optimizer.ts";

/** Options of `Adam` and `AdamW`; all but `lr` have defaults. */
export interface AdamOptions extends BaseOptions {
  /** Shares of the first and second moments that stay at each step; [0.9, 0.999] by default. */
  readonly betas: readonly [number, number];
  /** ε, added to the root of the second moment; 1e-8 by default. */
  readonly eps: number;
  /** Keep the largest second moment in the denominator (Reddi et al. 2018). */
  readonly amsgrad: boolean;
}

/** Adam's update with weight decay in the gradient ("l2") or apart from it. */
export const adamRule = (name: string, decay: "l2" | "decoupled"): UpdateRule<AdamOptions> => ({
  name,
  slots: ({ amsgrad }) => (amsgrad ? ["m", "v", "vmax"] : ["m", "v"]),
  settings: ({ lr, weightDecay, maximize, betas: [beta1, beta2], eps }, t) => [
    maximize ? -1 : 1,
    lr / (1 - beta1 ** t),
    decay === "l2" ? weightDecay : 0,
    decay === "decoupled" ? lr * weightDecay : 0,
    beta1,
    // taken here in f64: in f32, 1 − 0.999 has four digits only
    1 - beta1,
    beta2,
    1 - beta2,
    1 / Math.sqrt(1 - beta2 ** t),
    eps,
  ],
  update: (inputs) => [fusedUpdate(inputs.options.amsgrad ? amsgradOp : adamOp, inputs)],
});

export const ADAM_DEFAULTS = { betas: [0.9, 0.999], eps: 1e-8, maximize: false, amsgrad: false } as const;
