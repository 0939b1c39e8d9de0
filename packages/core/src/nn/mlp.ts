import { Rng } from "../tensor/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Linear } from "./layers.ts";
import { Module } from "./module.ts";

/** The parts of an `MLP` that may differ. */
export interface MLPOptions {
  /** GELU by default. */
  readonly activation?: (x: Tensor) => Tensor;
  /** Width of the result; the input's by default. */
  readonly out?: number;
  /** Add biases (true by default). */
  readonly bias?: boolean;
  /** Draws the first values; a generator of seed 0 by default. */
  readonly rng?: Rng;
}

/** fc2(activation(fc1(x))): the feed-forward part of a transformer. @see Vaswani et al. 2017, section 3.3 */
export class MLP extends Module {
  /** dim → hidden */
  readonly fc1: Linear;
  /** hidden → out */
  readonly fc2: Linear;
  readonly #activation: (x: Tensor) => Tensor;

  constructor(dim: number, hidden: number, options: MLPOptions = {}) {
    super();
    const { activation = (x) => x.geluExact(), out = dim, bias = true, rng = new Rng(0) } = options;
    this.fc1 = new Linear(dim, hidden, { bias, rng });
    this.fc2 = new Linear(hidden, out, { bias, rng });
    this.#activation = activation;
  }
  /** [..., dim] → [..., out] */
  forward(x: Tensor): Tensor {
    return this.fc2.forward(this.#activation(this.fc1.forward(x)));
  }
}

/**
 * w2(silu(w1(x)) · w3(x)), under Llama's names and without biases.
 *
 * @see Shazeer 2020, "GLU Variants Improve Transformer", eq. 6
 */
export class SwiGLU extends Module {
  /** dim → hidden, through SiLU: the gate. */
  readonly w1: Linear;
  /** hidden → dim */
  readonly w2: Linear;
  /** dim → hidden, what the gate lets through. */
  readonly w3: Linear;

  constructor(dim: number, hidden: number, { bias = false, rng = new Rng(0) }: { bias?: boolean; rng?: Rng } = {}) {
    super();
    this.w1 = new Linear(dim, hidden, { bias, rng });
    this.w2 = new Linear(hidden, dim, { bias, rng });
    this.w3 = new Linear(dim, hidden, { bias, rng });
  }
  /** [..., dim] → [..., dim] */
  forward(x: Tensor): Tensor {
    return this.w2.forward(this.w1.forward(x).silu().mul(this.w3.forward(x)));
  }
}
