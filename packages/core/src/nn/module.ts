import { dtypeOf, type DType, type TypedArray } from "../base/dtype.ts";
import { ShapeError } from "../base/errors.ts";
import { formatShape, sameShape } from "../base/shape.ts";
import { realize, Tensor, tensor } from "../tensor/tensor.ts";

/** Values for a state dict: a tensor, or plain numbers with a shape. */
export type StateValue =
  Tensor | { readonly shape: readonly number[]; readonly data: Float32Array | Int32Array | Uint32Array };

/**
 * A network as a plain tree: own enumerable fields that are tensors, modules, or arrays of them, in the order of declaration. The dotted
 * path of a tensor is its state-dict key. No registration, no hidden state.
 */
export abstract class Module {
  /** Parameters and buffers with their paths. */
  *namedParameters(prefix = ""): Generator<[string, Tensor]> {
    for (const [name, value] of Object.entries(this)) yield* walk(prefix + name, value);
  }
  parameters(): Record<string, Tensor> {
    return Object.fromEntries(this.namedParameters());
  }
  stateDict(): Record<string, Tensor> {
    return this.parameters();
  }
  numParameters(): number {
    let count = 0;
    for (const [, t] of this.namedParameters()) count += t.size;
    return count;
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
  loadStateDict(state: Readonly<Record<string, StateValue>>, { strict = true }: { strict?: boolean } = {}): void {
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
  }
}

function holds(value: StateValue, dtype: DType): boolean {
  if (value instanceof Tensor) return value.dtype === dtype;
  const held = dtypeOf(value.data);
  return held === dtype || (dtype === "bool" && held === "u32");
}

const list = (names: readonly string[]): string =>
  names.slice(0, 8).join(", ") + (names.length > 8 ? ` and ${names.length - 8} more` : "");

function* walk(path: string, value: unknown): Generator<[string, Tensor]> {
  if (value instanceof Tensor) yield [path, value];
  else if (value instanceof Module) yield* value.namedParameters(`${path}.`);
  else if (Array.isArray(value)) for (const [i, item] of value.entries()) yield* walk(`${path}.${i}`, item);
}
