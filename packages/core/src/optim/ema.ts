import { DTypeError, OmniError, ShapeError } from "../base/errors.ts";
import { formatShape, sameShape } from "../base/shape.ts";
import { Node } from "../graph/node.ts";
import { lerpOp } from "../primitives/assign.ts";
import { packSettings } from "../primitives/update-op.ts";
import { tensor } from "../tensor/create.ts";
import { updateToken, type Tensor } from "../tensor/tensor.ts";
import { warmingDecay, type EmaDecay } from "./ema-decay.ts";

/** Exponential moving average of parameters: average ← average + (1 − decay)(parameter − average). */
export class Ema {
  /** The averages by name; each is a tensor of its own, written in place. */
  readonly average: Readonly<Record<string, Tensor>>;
  readonly #params: Readonly<Record<string, Tensor>>;
  readonly #decay: EmaDecay;
  #updates: number;

  /**
   * @param decay by the number of the update, or the most that it becomes: a number n goes through `warmingDecay(n)`
   * @param start averages to go on from; by default the parameters' present values, which the first `update` takes, or realising
   * `average`: do either before the parameters change
   * @throws DTypeError when a parameter is not f32; ShapeError when an average is not shaped as its parameter
   */
  constructor(
    params: Readonly<Record<string, Tensor>>,
    decay: number | EmaDecay,
    start?: { readonly updates: number; readonly average: Readonly<Record<string, Tensor>> },
  ) {
    this.#params = params;
    this.#decay = typeof decay === "number" ? warmingDecay(decay) : decay;
    this.#updates = start?.updates ?? 0;
    this.average = Object.fromEntries(
      Object.entries(params).map(([name, p]) => {
        const given = start?.average[name];
        if (p.dtype !== "f32") throw new DTypeError(`Ema: parameters must be f32, got ${p.dtype} for "${name}"`);
        if (start && !given) throw new OmniError(`Ema: the averages must hold "${name}"`);
        if (given && !sameShape(given.shape, p.shape))
          throw new ShapeError(
            `Ema: the average of "${name}" must have shape ${formatShape(p.shape)}, got ${formatShape(given.shape)}`,
          );
        return [name, given ?? p.mul(1)];
      }),
    );
  }
  /** Updates so far. */
  get updates(): number {
    return this.#updates;
  }
  /** Tokens of one update; they read the parameters as they are before the plan that realises them changes any. */
  update(): Tensor[] {
    this.#updates++;
    const settings = tensor(packSettings([1 - this.#decay(this.#updates)]));
    return Object.entries(this.#params).flatMap(([name, p]) => {
      const average = this.average[name];
      return average
        ? [updateToken(new Node(lerpOp, [average.node, p.node, settings.node], [], [0], "f32"), [average])]
        : [];
    });
  }
  /** Tokens that write the averages into the parameters, which are gone then: save them before if they are wanted. */
  copyTo(): Tensor[] {
    return Object.entries(this.#params).flatMap(([name, p]) => {
      const average = this.average[name];
      return average ? [p.assign(average)] : [];
    });
  }
}
