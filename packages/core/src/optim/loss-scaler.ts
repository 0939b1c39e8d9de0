import { tensor } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import type { NamedTensors } from "./optimizer.ts";

/** How the scale moves. */
export interface LossScalerOptions {
  /** The first scale; 65,536 by default. */
  readonly initial?: number;
  /** Factor after `interval` good steps in a row. */
  readonly growth?: number;
  /** Factor after a step whose gradients are not finite. */
  readonly backoff?: number;
  /** Good steps in a row after which the scale grows; 2,000 by default. */
  readonly interval?: number;
}

/** What a checkpoint keeps of a `LossScaler`. */
export interface LossScalerState {
  /** Factor of the loss. */
  readonly scale: number;
  /** Good steps since it last changed. */
  readonly good: number;
}

/** What `LossScaler.step` works on. */
export interface ScaledStep {
  /** Gradients of the scaled loss. */
  readonly grads: NamedTensors;
  /** Given the gradients of the loss itself; not called where they are not finite. */
  readonly apply: (grads: Record<string, Tensor>) => Promise<void>;
  /** Tensors to realise with the gradients: the loss. */
  readonly also?: readonly Tensor[];
}

// Sums of finite numbers must stay finite: a billion of f32's largest, so scaled, are 2e28.
const SMALL = 2 ** -64;

/**
 * Dynamic loss scaling for half precision: small gradients are lifted out of f16's underflow, and steps that overflow are left out.
 *
 * ```ts
 * const loss = model.loss(batch);
 * const grads = gradientsByName(scaler.scaled(loss));
 * await scaler.step({ grads, also: [loss], apply: (g) => realize(optimizer.step(g)) });
 * ```
 *
 * @see Micikevicius et al. 2018, "Mixed Precision Training", section 3.2; PyTorch's GradScaler has the same defaults
 */
export class LossScaler {
  readonly #options: Required<LossScalerOptions>;
  #scale: number;
  /** Good steps since the scale last changed. */
  #good = 0;

  constructor(options: LossScalerOptions = {}) {
    this.#options = { initial: 2 ** 16, growth: 2, backoff: 0.5, interval: 2000, ...options };
    this.#scale = this.#options.initial;
  }
  /** The present factor of the loss. */
  get scale(): number {
    return this.#scale;
  }
  /** The loss times the scale, which is an input of the plan. */
  scaled(loss: Tensor): Tensor {
    return loss.mul(tensor(Float32Array.of(this.#scale), { shape: [] }));
  }

  /**
   * One step: realises the gradients, looks at them, calls `apply` if all are finite, and adapts the scale. Waits for the device once.
   *
   * @returns whether the step was taken
   */
  async step({ grads, apply, also = [] }: ScaledStep): Promise<boolean> {
    const own = Object.values(grads).filter((g) => g.node.source === null);
    // infinities and NaN survive a sum: the host looks for them, as WGSL may assume that there are none
    const sums = Object.values(grads).map((g) => g.abs().mul(SMALL).sum());
    const total = sums.reduce((a, b) => a.add(b), tensor(Float32Array.of(0), { shape: [] }));
    await realize([...also, ...own, total]);
    const finite = Number.isFinite(await total.item());
    if (finite) {
      const inverse = tensor(Float32Array.of(1 / this.#scale), { shape: [] });
      await apply(Object.fromEntries(Object.entries(grads).map(([name, g]) => [name, g.mul(inverse)])));
    }
    for (const g of own) g.dispose();
    this.#adapt(finite);
    return finite;
  }

  /** What a checkpoint needs. */
  state(): LossScalerState {
    return { scale: this.#scale, good: this.#good };
  }
  /** Takes what `state()` gave. */
  loadState({ scale, good }: LossScalerState): void {
    this.#scale = scale;
    this.#good = good;
  }

  #adapt(finite: boolean): void {
    const { growth, backoff, interval } = this.#options;
    this.#good = finite ? this.#good + 1 : 0;
    if (!finite) this.#scale *= backoff;
    else if (this.#good >= interval) {
      this.#scale *= growth;
      this.#good = 0;
    }
  }
}
