import { DTypeError, OmniError, ShapeError } from "../base/errors.ts";
import { formatShape, sameShape } from "../base/shape.ts";
import { Node } from "../graph/node.ts";
import type { UpdateOp } from "../primitives/op.ts";
import { packSettings } from "../primitives/update-op.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { updateToken, type Tensor } from "../tensor/tensor.ts";

/** Tensors by name: parameters by their paths, gradients by the names of theirs. */
export type NamedTensors = Readonly<Record<string, Tensor>>;

/** What every optimiser's options hold. */
export interface BaseOptions {
  /** Learning rate. */
  readonly lr: number;
  /** λ: how strongly parameters are pulled towards 0. */
  readonly weightDecay: number;
  /** Climb instead of descend. */
  readonly maximize: boolean;
}

/** Parameters by name, with options of their own; those that are not given are the optimiser's. */
export interface ParameterGroup<H> {
  /** Its parameters. */
  readonly params: NamedTensors;
  /** What differs from the optimiser's options. */
  readonly options?: Partial<H>;
}

/** All parameters by name, or in groups. */
export type OptimizerParameters<H> = NamedTensors | readonly ParameterGroup<H>[];

/** What one step may change. */
export interface StepOptions {
  /** Learning rate of this step in every group; each group's own by default. */
  readonly lr?: number;
  /** Factor of the groups' learning rates: a schedule that starts from 1 keeps their ratios. */
  readonly lrScale?: number;
  /** Factor of every gradient, such as the one that clipping gives: a tensor with one element. */
  readonly gradScale?: Tensor;
}

/** What a checkpoint needs to go on with training. */
export interface OptimizerState {
  /** Steps taken. */
  readonly step: number;
  /** Tensors by `PARAMETER.SLOT`, with `PARAMETER.step` for those that missed some steps. They are the optimiser's own: copy or save, do not change. */
  readonly moments: Record<string, Tensor>;
}

/** A tensor's values as a checkpoint gives them. */
export interface SavedTensor {
  /** Sizes of the axes. */
  readonly shape: readonly number[];
  /** Values in row-major order. */
  readonly data: Float32Array<ArrayBuffer>;
}

/** What an update of one parameter is made from. */
export interface UpdateInputs<H> {
  /** f32, to be written in place. */
  readonly parameter: Tensor;
  /** Tensors kept for the parameter, in the order of `slots`. */
  readonly slots: readonly Tensor[];
  /** Shaped as the parameter; `gradScale` has not been applied. */
  readonly gradient: Tensor;
  /** The rule's `settings` of this step, padded to fours. */
  readonly settings: Tensor;
  /** Factor of the gradient, one element. */
  readonly gradScale: Tensor;
  /** Options of the parameter's group, with this step's learning rate. */
  readonly options: H;
}

/** What makes one optimiser differ from another. */
export interface UpdateRule<H> {
  /** The optimiser's name, for errors. */
  readonly name: string;
  /** Names of the tensors kept for each parameter; they begin as zeros. */
  readonly slots: (options: H) => readonly string[];
  /** The numbers of a parameter's step number `t`, from 1: they reach the kernels as a tensor. */
  readonly settings: (options: H, t: number) => readonly number[];
  /** Tokens of the update. */
  readonly update: (inputs: UpdateInputs<H>) => Tensor[];
}

/** A token of an elementwise update of a parameter and its slots. */
export const fusedUpdate = <H>(
  op: UpdateOp,
  { parameter, slots, gradient, settings, gradScale }: UpdateInputs<H>,
): Tensor =>
  updateToken(
    new Node(
      op,
      [parameter, ...slots, gradient, settings, gradScale].map((t) => t.node),
      [],
      [0],
      "f32",
    ),
    [parameter, ...slots],
  );

const isGroups = <H>(params: OptimizerParameters<H>): params is readonly ParameterGroup<H>[] => Array.isArray(params);

/**
 * Updates of named parameters. `step` returns tokens: the update happens when they are realised, in place, in the same plan as the loss.
 * All numbers of a step are inputs of its plan, so that changing them compiles nothing.
 */
export class Optimizer<H extends BaseOptions> {
  /** Replace a group's `options` to change them from the next step on. */
  readonly groups: readonly {
    /** Parameters by name. */
    readonly params: NamedTensors;
    /** All options, defaults filled in. */
    options: H;
  }[];
  readonly #rule: UpdateRule<H>;
  readonly #parameters = new Map<string, Tensor>();
  readonly #slots = new Map<string, Tensor>();
  readonly #missed = new Map<string, number>();
  #step = 0;

  /**
   * @throws DTypeError when a parameter is not f32
   * @throws OmniError when a name or a tensor comes twice
   */
  constructor(rule: UpdateRule<H>, params: OptimizerParameters<H>, options: H) {
    this.#rule = rule;
    const groups: readonly ParameterGroup<H>[] = isGroups(params) ? params : [{ params }];
    this.groups = groups.map((group) => ({ params: group.params, options: { ...options, ...group.options } }));
    const tensors = new Map<Tensor, string>();
    for (const [name, p] of this.groups.flatMap((group) => Object.entries(group.params))) {
      if (p.dtype !== "f32") throw new DTypeError(`${rule.name}: parameters must be f32, got ${p.dtype} for "${name}"`);
      const twin = this.#parameters.has(name) ? name : tensors.get(p);
      if (twin !== undefined)
        throw new OmniError(`${rule.name}: each parameter must come once, got "${name}" as well as "${twin}"`);
      this.#parameters.set(name, p);
      tensors.set(p, name);
    }
  }

  /** Names of the parameters. */
  get names(): readonly string[] {
    return [...this.#parameters.keys()];
  }

  /**
   * Tokens of one update.
   *
   * @param grads gradients by parameter name; a parameter without one stays as it is
   * @throws ShapeError when a gradient is not shaped as its parameter
   * @throws OmniError when a gradient belongs to no parameter
   */
  step(grads: NamedTensors, { lr, lrScale = 1, gradScale }: StepOptions = {}): Tensor[] {
    this.#check(grads);
    this.#step++;
    const scale = gradScale ?? tensor(Float32Array.of(1));
    return this.groups.flatMap(({ params, options }) => {
      const now: H = { ...options, lr: (lr ?? options.lr) * lrScale };
      const settings = new Map<number, Tensor>();
      return Object.entries(params).flatMap(([name, parameter]) => {
        const gradient = grads[name];
        const missed = this.#missed.get(name) ?? 0;
        if (!gradient) {
          this.#missed.set(name, missed + 1);
          return [];
        }
        const t = this.#step - missed;
        const numbers = settings.get(t) ?? tensor(packSettings(this.#rule.settings(now, t)));
        settings.set(t, numbers);
        const slots = this.#rule.slots(now).map((slot) => this.#slot(name, slot, parameter));
        return this.#rule.update({ parameter, slots, gradient, settings: numbers, gradScale: scale, options: now });
      });
    });
  }

  /** What a checkpoint needs; `loadState` takes it back. */
  state(): OptimizerState {
    const moments: Record<string, Tensor> = {};
    for (const { params, options } of this.groups)
      for (const [name, parameter] of Object.entries(params)) {
        for (const slot of this.#rule.slots(options)) moments[`${name}.${slot}`] = this.#slot(name, slot, parameter);
        const missed = this.#missed.get(name) ?? 0;
        if (missed > 0) moments[`${name}.step`] = tensor([this.#step - missed]);
      }
    return { step: this.#step, moments };
  }

  /**
   * Takes a state that `state()` gave, as plain values. Nothing changes unless all of it fits.
   *
   * @throws ShapeError when a moment is not shaped as its parameter
   * @throws OmniError when one is missing
   */
  loadState(step: number, moments: Readonly<Record<string, SavedTensor>>): void {
    const { name: rule, slots } = this.#rule;
    const loaded = this.groups.flatMap(({ params, options }) =>
      Object.entries(params).flatMap(([name, { shape }]) =>
        slots(options).map((slot) => {
          const moment = moments[`${name}.${slot}`];
          if (!moment)
            throw new OmniError(`${rule}: the state must hold the moments of "${name}", got no "${name}.${slot}"`);
          if (!sameShape(moment.shape, shape))
            throw new ShapeError(
              `${rule}: moments of "${name}" must have shape ${formatShape(shape)}, got ${formatShape(moment.shape)}`,
            );
          return [`${name}.${slot}`, moment] as const;
        }),
      ),
    );
    this.#step = step;
    this.#missed.clear();
    for (const name of this.#parameters.keys()) {
      const own = moments[`${name}.step`]?.data[0] ?? step;
      if (own < step) this.#missed.set(name, step - own);
    }
    for (const [key, { shape, data }] of loaded) this.#slots.set(key, tensor(data, { shape }));
  }

  #check(grads: NamedTensors): void {
    const { name: rule } = this.#rule;
    for (const [name, gradient] of Object.entries(grads)) {
      const p = this.#parameters.get(name);
      if (!p)
        throw new OmniError(
          `${rule}: gradient "${name}" must belong to a parameter; parameters are named at construction`,
        );
      if (!sameShape(gradient.shape, p.shape))
        throw new ShapeError(
          `${rule}: gradient "${name}" must have shape ${formatShape(p.shape)}, got ${formatShape(gradient.shape)}`,
        );
    }
  }

  #slot(name: string, slot: string, { shape }: Tensor): Tensor {
    const key = `${name}.${slot}`;
    let kept = this.#slots.get(key);
    if (!kept) this.#slots.set(key, (kept = zeros(shape)));
    return kept;
  }
}
