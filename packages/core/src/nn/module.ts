import { arrayType, dtypeOf, isFloat, type DType, type TypedArray } from "../base/dtype.ts";
import { ShapeError } from "../base/errors.ts";
import { formatShape, sameShape } from "../base/shape.ts";
import { tensor } from "../tensor/create.ts";
import { realize, Tensor } from "../tensor/tensor.ts";

/** Values for a state dict: a tensor, or plain numbers with a shape. */
export type StateValue =
  | Tensor
  | {
      /** Sizes of the axes. */
      readonly shape: readonly number[];
      /** As many values, in row-major order. */
      readonly data: Float32Array | Int32Array | Uint32Array | Uint8Array;
    };

const buffers = new WeakSet<Tensor>();
const frozen = new WeakSet<Tensor>();

/** Marks a tensor as a buffer: it is saved and loaded with its module, but never trained. Running statistics are buffers. */
export function buffer(t: Tensor): Tensor {
  buffers.add(t);
  return t;
}

/** What a load that is not strict left alone; both lists are empty when it was strict. */
export interface LoadedNames {
  /** Parameters that the state lacks: they keep their values. */
  readonly missing: readonly string[];
  /** Names of the state that the module lacks. */
  readonly unexpected: readonly string[];
}

/**
 * A network as a plain tree: own enumerable fields that are tensors, modules, or arrays of them, in the order of declaration. The dotted
 * path of a tensor is its state-dict key. No registration, no hidden state.
 */
export abstract class Module {
  #training = true;

  /** The tree's first level: names and values. */
  protected fields(): Iterable<readonly [string, unknown]> {
    return Object.entries(this);
  }
  /** Parameters and buffers with their paths. */
  *namedParameters(prefix = ""): Generator<[string, Tensor]> {
    for (const [name, value] of this.fields()) yield* walk(prefix + name, value);
  }
  /** This module and those inside it with their paths; its own is "". */
  *namedModules(prefix = ""): Generator<[string, Module]> {
    yield [prefix.replace(/\.$/, ""), this];
    for (const [name, value] of this.fields()) yield* walkModules(prefix + name, value);
  }
  /** Parameters and buffers by path. */
  parameters(): Record<string, Tensor> {
    return Object.fromEntries(this.namedParameters());
  }
  /** What an optimiser should get: f32 tensors that are neither buffers nor frozen, each once even where two paths share it. */
  trainableParameters(): Record<string, Tensor> {
    const seen = new Set<Tensor>();
    const wanted: Record<string, Tensor> = {};
    for (const [name, t] of this.namedParameters()) {
      if (t.dtype !== "f32" || buffers.has(t) || frozen.has(t) || seen.has(t)) continue;
      seen.add(t);
      wanted[name] = t;
    }
    return wanted;
  }
  /** Parameters and buffers by path, as a checkpoint names them: the tensors themselves, no copies. */
  stateDict(): Record<string, Tensor> {
    return this.parameters();
  }
  /** Elements of all parameters and buffers. */
  numParameters(): number {
    let count = 0;
    for (const [, t] of this.namedParameters()) count += t.size;
    return count;
  }
  /** Elements of the trainable parameters. */
  numTrainable(): number {
    return Object.values(this.trainableParameters()).reduce((count, t) => count + t.size, 0);
  }
  /** Takes parameters out of `trainableParameters`: all, or those whose path is wanted. */
  freeze(wanted: (name: string) => boolean = () => true): this {
    for (const [name, t] of this.namedParameters()) if (wanted(name)) frozen.add(t);
    return this;
  }
  /** Undoes `freeze`. */
  unfreeze(wanted: (name: string) => boolean = () => true): this {
    for (const [name, t] of this.namedParameters()) if (wanted(name)) frozen.delete(t);
    return this;
  }
  /** Whether layers that differ in training (dropout, batch norm) behave so; true at first. */
  get training(): boolean {
    return this.#training;
  }
  /** Sets the mode of this module and all inside it. */
  train(mode = true): this {
    for (const [, module] of this.namedModules()) module.#training = mode;
    return this;
  }
  /** Sets evaluation mode, here and in all modules inside: `train(false)`. */
  eval(): this {
    return this.train(false);
  }
  /**
   * Tokens of what forward passes in training left to write (running statistics), of this module and all inside it. Realise them with the
   * step: `realize([loss, ...optimizer.step(grads), ...model.updates()])`.
   */
  updates(): Tensor[] {
    return [...this.namedModules()].flatMap(([, module]) => module.ownUpdates());
  }
  /** This module's part of `updates`, without the modules inside it; a layer with running statistics overrides it. */
  protected ownUpdates(): Tensor[] {
    return [];
  }
  /**
   * Casts the floating parameters, or those whose path is wanted; `await realize()` stores them so, until then each plan casts anew. Only
   * f32 parameters are trainable: to train with halves, keep these and cast where they are used.
   */
  to(dtype: "f32" | "f16" | "bf16", wanted: (name: string) => boolean = () => true): this {
    for (const [name, t] of this.namedParameters()) if (isFloat(t.dtype) && wanted(name)) t.node = t.cast(dtype).node;
    return this;
  }
  /** Puts every parameter on the device. Call once after construction. */
  async realize(): Promise<this> {
    await realize([...this.namedParameters()].map(([, t]) => t));
    return this;
  }
  /**
   * Takes values by path. Nothing changes unless every value fits.
   *
   * @param options.strict both sides must name the same parameters (the default)
   * @throws ShapeError listing missing, unexpected and misshaped (or mistyped) names
   */
  loadStateDict(
    state: Readonly<Record<string, StateValue>>,
    { strict = true }: { strict?: boolean } = {},
  ): LoadedNames {
    const own = this.parameters();
    const missing = Object.keys(own).filter((name) => !(name in state));
    const unexpected = Object.keys(state).filter((name) => !(name in own));
    const misshaped = Object.entries(own).flatMap(([name, t]) => {
      const value = state[name];
      if (!value || (sameShape(value.shape, t.shape) && holds(value, t.dtype))) return [];
      const got = value instanceof Tensor ? value.dtype : dtypeOf(value.data);
      return [`${name}: ${t.dtype} ${formatShape(t.shape)} wanted, got ${got} ${formatShape(value.shape)}`];
    });
    const problems = [
      ...(strict && missing.length > 0 ? [`missing ${list(missing)}`] : []),
      ...(strict && unexpected.length > 0 ? [`unexpected ${list(unexpected)}`] : []),
      ...(misshaped.length > 0 ? [`misshaped ${list(misshaped)}`] : []),
    ];
    if (problems.length > 0)
      throw new ShapeError(`loadStateDict: the state must fit the module: ${problems.join("; ")}`);
    for (const [name, t] of Object.entries(own)) {
      const value = state[name];
      if (!value) continue;
      // host arrays own their buffer
      t.node =
        value instanceof Tensor
          ? value.node
          : tensor(value.data as TypedArray, { shape: value.shape, dtype: t.dtype }).node;
    }
    return { missing, unexpected };
  }
}

function holds(value: StateValue, dtype: DType): boolean {
  if (value instanceof Tensor) return value.dtype === dtype;
  return dtypeOf(value.data) === arrayType(dtype);
}

const list = (names: readonly string[]): string =>
  names.slice(0, 8).join(", ") + (names.length > 8 ? ` and ${names.length - 8} more` : "");

function* walk(path: string, value: unknown): Generator<[string, Tensor]> {
  if (value instanceof Tensor) yield [path, value];
  else if (value instanceof Module) yield* value.namedParameters(`${path}.`);
  else if (Array.isArray(value)) for (const [i, item] of value.entries()) yield* walk(`${path}.${i}`, item);
}

function* walkModules(path: string, value: unknown): Generator<[string, Module]> {
  if (value instanceof Module) yield* value.namedModules(`${path}.`);
  else if (Array.isArray(value)) for (const [i, item] of value.entries()) yield* walkModules(`${path}.${i}`, item);
}
