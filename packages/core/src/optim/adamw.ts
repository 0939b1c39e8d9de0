import { DTypeError, OmniError, ShapeError } from "../base/errors.ts";
import { formatShape, sameShape } from "../base/shape.ts";
import { Node } from "../graph/node.ts";
import { adamwOp } from "../primitives/assign.ts";
import { tensor, updateToken, zeros, type Tensor } from "../tensor/tensor.ts";

export interface AdamWOptions {
  readonly lr: number;
  readonly betas?: readonly [number, number];
  readonly eps?: number;
  /** Decoupled decay; parameters with fewer than two axes (biases, gains) are left out of it. */
  readonly weightDecay?: number;
}

export interface AdamWState {
  readonly step: number;
  readonly moments: Record<string, Tensor>;
}

/**
 * Adam with decoupled weight decay. `step` returns tokens: the update happens when they are realised, in place, in the same plan as the loss.
 *
 * @see Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization"
 */
export class AdamW {
  readonly #params: Readonly<Record<string, Tensor>>;
  readonly #options: Required<AdamWOptions>;
  readonly #first: Record<string, Tensor> = {};
  readonly #second: Record<string, Tensor> = {};
  #step = 0;

  /** @throws DTypeError when a parameter is not f32 */
  constructor(params: Readonly<Record<string, Tensor>>, options: AdamWOptions) {
    for (const [name, p] of Object.entries(params))
      if (p.dtype !== "f32") throw new DTypeError(`AdamW: parameters must be f32, got ${p.dtype} for "${name}"`);
    this.#params = params;
    this.#options = { betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0.01, ...options };
    for (const [name, p] of Object.entries(params)) {
      this.#first[name] = zeros(p.shape);
      this.#second[name] = zeros(p.shape);
    }
  }

  /**
   * @param grads gradients by parameter name; a parameter without one stays as it is
   * @param options.lr learning rate of this step
   * @param options.gradScale factor of every gradient, such as the one that clipping gives: a tensor with one element
   * @throws ShapeError when a gradient is not shaped as its parameter
   */
  step(
    grads: Readonly<Record<string, Tensor>>,
    { lr = this.#options.lr, gradScale }: { lr?: number; gradScale?: Tensor } = {},
  ): Tensor[] {
    for (const [name, gradient] of Object.entries(grads)) {
      const p = this.#params[name];
      if (!p)
        throw new OmniError(
          `AdamW: gradient "${name}" must belong to a parameter; parameters are named at construction`,
        );
      if (!sameShape(gradient.shape, p.shape))
        throw new ShapeError(
          `AdamW: gradient "${name}" must have shape ${formatShape(p.shape)}, got ${formatShape(gradient.shape)}`,
        );
    }
    this.#step++;
    const { betas, eps, weightDecay } = this.#options;
    const hyper = (decay: number): Tensor =>
      tensor(
        Float32Array.of(lr, betas[0], betas[1], eps, decay, 1 - betas[0] ** this.#step, 1 - betas[1] ** this.#step, 1),
      );
    const decayed = hyper(weightDecay);
    const plain = hyper(0);
    return Object.entries(grads).flatMap(([name, gradient]) => {
      const p = this.#params[name];
      const m = this.#first[name];
      const v = this.#second[name];
      if (!p || !m || !v) return [];
      const scaled = gradScale ? gradient.mul(gradScale.reshape([])) : gradient;
      const settings = p.ndim >= 2 ? decayed : plain;
      return updateToken(new Node(adamwOp, [p.node, m.node, v.node, scaled.node, settings.node], [], [0], "f32"), [
        p,
        m,
        v,
      ]);
    });
  }

  state(): AdamWState {
    const moments: Record<string, Tensor> = {};
    for (const name of Object.keys(this.#params)) {
      const m = this.#first[name];
      const v = this.#second[name];
      if (m) moments[`${name}.m`] = m;
      if (v) moments[`${name}.v`] = v;
    }
    return { step: this.#step, moments };
  }
  /**
   * Takes a state that `state()` gave, as plain values.
   * @throws ShapeError when a moment is not shaped as its parameter
   */
  loadState(
    step: number,
    moments: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Float32Array<ArrayBuffer> }>>,
  ): void {
    this.#step = step;
    for (const [name, { shape }] of Object.entries(this.#params)) {
      const m = moments[`${name}.m`];
      const v = moments[`${name}.v`];
      if (!m || !v) throw new OmniError(`AdamW: the state must hold the moments of "${name}"`);
      for (const moment of [m, v])
        if (!sameShape(moment.shape, shape))
          throw new ShapeError(
            `AdamW: moments of "${name}" must have shape ${formatShape(shape)}, got ${formatShape(moment.shape)}`,
          );
      this.#first[name] = tensor(m.data, { shape: m.shape });
      this.#second[name] = tensor(v.data, { shape: v.shape });
    }
  }
}
