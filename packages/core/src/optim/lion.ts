import { lionOp } from "../primitives/optimizer-updates.ts";
import { fusedUpdate, Optimizer, type BaseOptions, type OptimizerParameters, type UpdateRule } from "./optimizer.ts";

/** Options of `Lion`; all but `lr` have defaults. */
export interface LionOptions extends BaseOptions {
  /** Share of the momentum in the step's direction, and the share that stays; [0.9, 0.99] by default. */
  readonly betas: readonly [number, number];
}

const rule: UpdateRule<LionOptions> = {
  name: "Lion",
  slots: () => ["m"],
  settings: ({ lr, weightDecay, maximize, betas: [beta1, beta2] }) => [
    maximize ? -1 : 1,
    lr,
    lr * weightDecay,
    beta1,
    1 - beta1,
    beta2,
    1 - beta2,
  ],
  update: (inputs) => [fusedUpdate(lionOp, inputs)],
};

/**
 * Steps of one size along the sign of an interpolated momentum: half of Adam's memory. Wants a learning rate 3 to 10 times smaller than
 * AdamW's, and a weight decay as many times larger.
 *
 * @see Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms", algorithm 2
 */
export class Lion extends Optimizer<LionOptions> {
  constructor(params: OptimizerParameters<LionOptions>, options: Partial<LionOptions> & Pick<LionOptions, "lr">) {
    super(rule, params, { betas: [0.9, 0.99], weightDecay: 0, maximize: false, ...options });
  }
}
