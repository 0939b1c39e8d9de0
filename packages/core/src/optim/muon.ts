import { ShapeError } from "../base/errors.ts";
import { formatShape } from "../base/shape.ts";
import { Node } from "../graph/node.ts";
import { descendOp } from "../primitives/optimizer-updates.ts";
import { updateToken, type Tensor } from "../tensor/tensor.ts";
import { orthogonalize } from "./orthogonalize.ts";
import { Optimizer, type BaseOptions, type OptimizerParameters, type UpdateRule } from "./optimizer.ts";

/** Options of `Muon`; all but `lr` have defaults. */
export interface MuonOptions extends BaseOptions {
  /** μ: share of the momentum that stays; 0.95 by default. */
  readonly momentum: number;
  /** Step along the momentum that the next step will have (true by default). */
  readonly nesterov: boolean;
  /**
   * Size of an update by the shape [rows, columns] of a matrix. "original": √max(1, rows / columns); "match-adamw": 0.2 √max(rows, columns),
   * the root mean square of AdamW's updates (Liu et al. 2025), so that AdamW's learning rate and decay can be used.
   */
  readonly scale: "original" | "match-adamw";
  /** Newton-Schulz iterations. */
  readonly iterations: number;
}

const SCALES = {
  original: (rows, columns) => Math.sqrt(Math.max(1, rows / columns)),
  "match-adamw": (rows, columns) => 0.2 * Math.sqrt(Math.max(rows, columns)),
} satisfies Record<MuonOptions["scale"], (rows: number, columns: number) => number>;

const rule: UpdateRule<MuonOptions> = {
  name: "Muon",
  slots: () => ["momentum"],
  settings: ({ lr, weightDecay, maximize, momentum }) => [
    lr,
    lr * weightDecay,
    momentum,
    1 - momentum,
    maximize ? -1 : 1,
  ],
  update: ({ parameter, slots: [kept], gradient, settings, gradScale, options }) => {
    if (!kept) return [];
    const setting = (i: number): Tensor => settings.slice(0, i, i + 1).reshape([]);
    const [momentum, rest, sign] = [setting(2), setting(3), setting(4)];
    const fresh = gradient.mul(sign.mul(gradScale.reshape([]))).mul(rest);
    const next = kept.mul(momentum).add(fresh);
    const direction = options.nesterov ? fresh.add(next.mul(momentum)) : next;
    const [rows = 1] = parameter.shape;
    const columns = parameter.size / Math.max(1, rows);
    const step = orthogonalize(direction.reshape([rows, columns]), options.iterations)
      .mul(SCALES[options.scale](rows, columns))
      .reshape(parameter.shape);
    const inputs = [parameter, step, settings].map((t) => t.node);
    return [updateToken(new Node(descendOp, inputs, [], [0], "f32"), [parameter]), kept.assign(next)];
  },
};

/**
 * Momentum whose step is made orthogonal, for matrices: all its singular values become about 1. Axes after the first count as one, so a
 * convolution's weight is a matrix [O, C·taps]. Biases, gains, embeddings and the last layer are better left to AdamW: see `muonWithAdamW`.
 *
 * b ← μ b + (1 − μ) d,   u = μ b + (1 − μ) d (Nesterov) or b,   p ← p − lr λ p − lr · scale · orthogonal(u)
 *
 * @throws ShapeError for a parameter of fewer than two axes
 * @see Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"
 */
export class Muon extends Optimizer<MuonOptions> {
  constructor(params: OptimizerParameters<MuonOptions>, options: Partial<MuonOptions> & Pick<MuonOptions, "lr">) {
    super(rule, params, {
      weightDecay: 0.1,
      maximize: false,
      momentum: 0.95,
      nesterov: true,
      scale: "original",
      iterations: 5,
      ...options,
    });
    for (const [name, p] of this.groups.flatMap((group) => Object.entries(group.params)))
      if (p.ndim < 2)
        throw new ShapeError(
          `Muon: parameters must have two axes or more, got ${formatShape(p.shape)} for "${name}"; give it to AdamW (muonWithAdamW)`,
        );
  }
}
