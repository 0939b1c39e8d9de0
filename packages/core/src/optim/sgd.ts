import { OmniError } from "../base/errors.ts";
import { sgdMomentumOp, sgdOp } from "../primitives/optimizer-updates.ts";
import { fusedUpdate, Optimizer, type BaseOptions, type OptimizerParameters, type UpdateRule } from "./optimizer.ts";

/** Options of `SGD`; all but `lr` have defaults. */
export interface SGDOptions extends BaseOptions {
  /** μ: share of the last step's momentum that stays; 0, the default, is none. */
  readonly momentum: number;
  /** Share of a gradient that does not enter the momentum, from the second step on. */
  readonly dampening: number;
  /** Step along the momentum that the next step will have. */
  readonly nesterov: boolean;
}

const rule: UpdateRule<SGDOptions> = {
  name: "SGD",
  slots: ({ momentum }) => (momentum === 0 ? [] : ["momentum"]),
  settings: ({ lr, weightDecay, maximize, momentum, dampening, nesterov }, t) => [
    maximize ? -1 : 1,
    lr,
    weightDecay,
    momentum,
    t === 1 ? 1 : 1 - dampening,
    nesterov ? 1 : 0,
    nesterov ? momentum : 1,
  ],
  update: (inputs) => [fusedUpdate(inputs.options.momentum === 0 ? sgdOp : sgdMomentumOp, inputs)],
};

/**
 * Gradient descent with momentum, as PyTorch defines it:
 *
 * d = gradient + λ p,   b ← μ b + (1 − dampening) d,   p ← p − lr b,   or p − lr (d + μ b) with Nesterov's
 *
 * The first b of a parameter is d. Decay falls on every parameter: see `decayGroups`.
 *
 * @throws OmniError where Nesterov's momentum comes with none or with dampening
 * @see Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning"
 */
export class SGD extends Optimizer<SGDOptions> {
  constructor(params: OptimizerParameters<SGDOptions>, options: Partial<SGDOptions> & Pick<SGDOptions, "lr">) {
    super(rule, params, { weightDecay: 0, maximize: false, momentum: 0, dampening: 0, nesterov: false, ...options });
    for (const { nesterov, momentum, dampening } of this.groups.map((group) => group.options))
      if (nesterov && (momentum <= 0 || dampening !== 0))
        throw new OmniError(
          `SGD: nesterov must come with momentum and without dampening, got momentum ${momentum} and dampening ${dampening}`,
        );
  }
}
