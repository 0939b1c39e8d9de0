import { OmniError, ShapeError } from "../base/errors.ts";
import { formatShape, sameShape } from "../base/shape.ts";
import { Node } from "../graph/node.ts";
import { accumulateOp } from "../primitives/optimizer-updates.ts";
import { packSettings } from "../primitives/update-op.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { updateToken, type Tensor } from "../tensor/tensor.ts";
import type { NamedTensors } from "./optimizer.ts";

/**
 * Sums the gradients of several small batches, in place, so that they train as one large batch:
 *
 * ```ts
 * for (const batch of batches) {
 *   const loss = …;
 *   await realize([loss, ...sums.add(gradients(loss), 1 / batches.length)]);
 * }
 * await realize(optimizer.step(sums.take()));
 * ```
 */
export class GradientAccumulator {
  readonly #params: NamedTensors;
  readonly #sums = new Map<string, Tensor>();
  /** Names that have a gradient since the last `take`. */
  #filled = new Set<string>();

  constructor(params: NamedTensors) {
    this.#params = params;
  }

  /**
   * Tokens that add weight · gradient to each sum; the first ones after `take` begin it anew.
   *
   * @throws ShapeError when a gradient is not shaped as its parameter
   * @throws OmniError when a gradient belongs to no parameter
   */
  add(grads: NamedTensors, weight = 1): Tensor[] {
    for (const [name, g] of Object.entries(grads)) {
      const p = this.#params[name];
      if (!p)
        throw new OmniError(`GradientAccumulator: gradient "${name}" must belong to a parameter; none has this name`);
      if (!sameShape(g.shape, p.shape))
        throw new ShapeError(
          `GradientAccumulator: gradient "${name}" must have shape ${formatShape(p.shape)}, got ${formatShape(g.shape)}`,
        );
    }
    const [begin, goOn] = [tensor(packSettings([0, weight])), tensor(packSettings([1, weight]))];
    return Object.entries(grads).map(([name, g]) => {
      const sum = this.#sums.get(name) ?? zeros(g.shape);
      this.#sums.set(name, sum);
      const settings = this.#filled.has(name) ? goOn : begin;
      this.#filled.add(name);
      return updateToken(
        new Node(
          accumulateOp,
          [sum, g, settings].map((t) => t.node),
          [],
          [0],
          "f32",
        ),
        [sum],
      );
    });
  }

  /** The sums by name, for one step of an optimiser. The next `add` overwrites them, once it is realised. */
  take(): Record<string, Tensor> {
    const taken: Record<string, Tensor> = {};
    for (const name of this.#filled) {
      const sum = this.#sums.get(name);
      if (sum) taken[name] = sum;
    }
    this.#filled = new Set();
    return taken;
  }
}
