import { grad, OmniError, planOf, type PlanReport, realize, type Tensor } from "@omni/core";
import { AdamW, clipGradNorm, decayGroups, Ema, type LrSchedule } from "@omni/core/optim";
import type { SubmittedStep } from "./loop.ts";
import type { RunState } from "./run-state.ts";

export interface OptimizationOptions {
  readonly lr: LrSchedule;
  readonly betas?: readonly [number, number];
  readonly weightDecay?: number;
  /** Bound on the norm of all gradients together. */
  readonly clip?: number;
  /** Decay of the averaged weights. */
  readonly emaDecay?: number;
  /** Told of the first step's plan before it runs. */
  readonly onPlan?: ((plan: PlanReport) => void) | undefined;
}

/** A loss or a gradient went to NaN or infinity. The last checkpoint is from before. */
export class DivergedError extends OmniError {}

/** AdamW with clipping and averaged weights over one set of parameters. */
export class Optimization {
  readonly params: Readonly<Record<string, Tensor>>;
  readonly #adam: AdamW;
  readonly #ema: Ema;
  readonly #options: Required<OptimizationOptions>;
  #told = false;

  constructor(params: Readonly<Record<string, Tensor>>, options: OptimizationOptions, state: RunState | null = null) {
    this.params = params;
    this.#options = { betas: [0.9, 0.99], weightDecay: 0.01, clip: 1, emaDecay: 0.999, onPlan: undefined, ...options };
    const { betas, weightDecay } = this.#options;
    this.#adam = new AdamW(decayGroups(params, weightDecay), { lr: options.lr(0), betas });
    if (state) this.#adam.loadState(state.step, state.group("adam"));
    this.#ema = new Ema(
      params,
      this.#options.emaDecay,
      state ? { updates: state.step, average: state.tensors("ema") } : undefined,
    );
  }

  /**
   * One update. Realises loss, gradients and parameters in one plan; resolves when it is submitted. Its values are the loss, the norm and `extra` as
   * numbers; they reject with a `DivergedError` where one of them is not finite.
   *
   * @param alongside tokens of other updates in the same plan
   */
  async update(
    step: number,
    loss: Tensor,
    extra: Readonly<Record<string, Tensor>> = {},
    alongside: readonly Tensor[] = [],
  ): Promise<SubmittedStep> {
    const names = Object.keys(this.params);
    const gradients = grad(loss, Object.values(this.params));
    const named = Object.fromEntries(names.flatMap((name, i) => (gradients[i] ? [[name, gradients[i]]] : [])));
    const { scale, norm } = clipGradNorm(named, this.#options.clip);
    const lr = this.#options.lr(step);
    const reported = { loss, norm, ...extra };
    const wanted = [
      ...Object.values(reported),
      ...this.#adam.step(named, { lr, gradScale: scale }),
      ...this.#ema.update(),
      ...alongside,
    ];
    if (!this.#told) this.#options.onPlan?.(await planOf(wanted));
    this.#told = true;
    await realize(wanted);
    return { values: this.#read(step, lr, reported) };
  }

  async #read(step: number, lr: number, reported: Readonly<Record<string, Tensor>>): Promise<Record<string, number>> {
    const entries = await Promise.all(
      Object.entries(reported).map(async ([name, t]) => [name, await t.item()] as const),
    );
    const values: Record<string, number> = { ...Object.fromEntries(entries), lr };
    if (!Object.values(values).every(Number.isFinite)) {
      const got = Object.entries(values).map(([name, value]) => `${name} ${value}`);
      throw new DivergedError(
        `training: losses and gradients must stay finite, got ${got.join(", ")} at step ${step}; ` +
          "resume from the checkpoint with a smaller learning rate",
      );
    }
    return values;
  }

  /** Averaged weights by parameter name. */
  get average(): Readonly<Record<string, Tensor>> {
    return this.#ema.average;
  }

  /** Everything a resumed run needs, in named groups. */
  *state(): Generator<[string, Tensor]> {
    for (const [name, t] of Object.entries(this.params)) yield [`param/${name}`, t];
    for (const [name, t] of Object.entries(this.#adam.state().moments)) yield [`adam/${name}`, t];
    for (const [name, t] of Object.entries(this.#ema.average)) yield [`ema/${name}`, t];
  }
}
