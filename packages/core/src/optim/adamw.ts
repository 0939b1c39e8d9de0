import { ADAM_DEFAULTS, adamRule, type AdamOptions } from "./adam-rule.ts";
import { Optimizer, type OptimizerParameters } from "./optimizer.ts";

const rule = adamRule("AdamW", "decoupled");

/**
 * Adam with weight decay apart from the gradient: p ← p − lr λ p − lr m̂ / (√v̂ + ε). As in PyTorch the decay falls on every parameter:
 * `decayGroups` spares biases and gains.
 *
 * @see Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2
 */
export class AdamW extends Optimizer<AdamOptions> {
  constructor(params: OptimizerParameters<AdamOptions>, options: Partial<AdamOptions> & Pick<AdamOptions, "lr">) {
    super(rule, params, { ...ADAM_DEFAULTS, weightDecay: 0.01, ...options });
  }
}
