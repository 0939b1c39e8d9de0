import { ADAM_DEFAULTS, adamRule, type AdamOptions } from "./adam-rule.ts";
import { Optimizer, type OptimizerParameters } from "./optimizer.ts";

const rule = adamRule("Adam", "l2");

/**
 * Adam; weight decay is added to the gradient.
 *
 * @see Kingma & Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1
 */
export class Adam extends Optimizer<AdamOptions> {
  constructor(params: OptimizerParameters<AdamOptions>, options: Partial<AdamOptions> & Pick<AdamOptions, "lr">) {
    super(rule, params, { ...ADAM_DEFAULTS, weightDecay: 0, ...options });
  }
}
