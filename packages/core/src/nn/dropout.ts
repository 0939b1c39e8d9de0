import { OmniError } from "../base/errors.ts";
import type { Rng } from "../tensor/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";

/**
 * In training, zeroes each element with probability p and divides the others by 1 − p; in evaluation, nothing.
 *
 * @see Srivastava et al. 2014
 */
export class Dropout extends Module {
  readonly #p: number;
  readonly #rng: Rng;

  /**
   * @param rng draws a mask a call
   * @throws OmniError unless p is in [0, 1]
   */
  constructor(p: number, rng: Rng) {
    super();
    if (!(p >= 0 && p <= 1)) throw new OmniError(`Dropout: p must be in [0, 1], got ${p}`);
    this.#p = p;
    this.#rng = rng;
  }
  /** In training a new mask at each call; in evaluation x itself. */
  forward(x: Tensor): Tensor {
    if (!this.training || this.#p === 0) return x;
    if (this.#p === 1) return x.mul(0);
    const kept = this.#rng.uniform(x.shape).ge(this.#p).cast("f32");
    return x.mul(kept.mul(1 / (1 - this.#p)));
  }
}
