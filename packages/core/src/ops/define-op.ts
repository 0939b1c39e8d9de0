import type { DType } from "../base/dtype.ts";
import { invariant, ShapeError } from "../base/errors.ts";
import { formatShape, sameShape, type Shape } from "../base/shape.ts";
import { isContiguous } from "../base/view.ts";
import { Node } from "../graph/node.ts";
import type { DeviceTraits, Program } from "../kernels/kernel.ts";
import { nextOpId, type CompositeOp, type KernelOp } from "../primitives/op.ts";
import { Tensor } from "../tensor/tensor.ts";

/** What is known of a tensor before it is computed. */
export interface OpInfo {
  /** Sizes of its axes. */
  readonly shape: Shape;
  /** Type of its elements. */
  readonly dtype: DType;
}

/** Numbers that an op takes besides tensors. A new value makes a new plan: what changes every step belongs in a tensor. */
export type OpAttrs = Readonly<Record<string, number>>;

/** An op of a user's own: its shapes, and how it is computed, by other ops, by WGSL, or by either. */
export interface OpDefinition<A extends OpAttrs> {
  /** For errors, profiles and drawings of the graph. */
  readonly name: string;
  /** Defaults, which also name the attributes. */
  readonly attrs?: A;
  /** Shape and dtype of the result, a function of what it is given. @throws ShapeError for inputs that do not fit */
  readonly infer: (inputs: readonly OpInfo[], attrs: A) => OpInfo;
  /** The op in terms of others. It runs where there is no kernel, and gives the gradient where there is no `vjp`. */
  readonly compose?: (inputs: readonly Tensor[], attrs: A) => Tensor;
  /** The op as WGSL of its own; null where the adapter or the sizes do not suit it. */
  readonly kernel?: (inputs: readonly OpInfo[], attrs: A, device: DeviceTraits) => Program | null;
  /** Gradients of the inputs, given that of the result. Add one to `compose` only where it is measurably better. */
  readonly vjp?: (dy: Tensor, inputs: readonly Tensor[], y: Tensor, attrs: A) => readonly (Tensor | null)[];
}

/**
 * Makes an op from its definition in terms of others, a kernel of one's own, or both.
 *
 * ```ts
 * const cube = defineOp({
 *   name: "cube",
 *   infer: ([x]) => x,
 *   kernel: ([x]) => wgslProgram({
 *     label: "cube", inputs: [{ name: "x", type: "f32" }], output: { name: "y", type: "f32" },
 *     count: sizeOf(x.shape), body: "y[g] = x[g] * x[g] * x[g];",
 *   }),
 *   vjp: (dy, [x]) => [dy.mul(x.square()).mul(3)],
 * });
 * const y = cube([x]);
 * ```
 *
 * @throws Error for a definition with neither `compose` nor `kernel`
 */
export function defineOp<A extends OpAttrs = OpAttrs>(
  definition: OpDefinition<A>,
): (inputs: readonly Tensor[], attrs?: Partial<A>) => Tensor {
  const { name, infer, compose, kernel, vjp } = definition;
  if (!compose && !kernel) throw new Error(`defineOp: ${name} must have compose or kernel, got neither`);
  const names = Object.keys(definition.attrs ?? {});
  // the names are A's own
  const named = (attrs: readonly number[]): A => Object.fromEntries(names.map((n, i) => [n, attrs[i] ?? 0])) as A;
  const programOf = (inputs: readonly OpInfo[], attrs: readonly number[], traits: DeviceTraits): Program | null =>
    kernel?.(inputs, named(attrs), traits) ?? null;

  const native: KernelOp = {
    id: nextOpId(),
    name,
    kind: "kernel",
    outputs: (inputs, attrs) => [infer(inputs, named(attrs))],
    accepts: (view) => isContiguous(view) && view.offset === 0,
    program: (inputs, attrs, traits) => {
      const program = programOf(inputs, attrs, traits);
      if (!program)
        throw new Error(`${name}: its kernel must run on this adapter, or it needs a compose; it gave null`);
      return program;
    },
    vjp: (dy, inputs, y, attrs) => vjp?.(dy, inputs, y, named(attrs)) ?? inputs.map(() => null),
  };
  const composite: CompositeOp = {
    id: nextOpId(),
    name,
    kind: "composite",
    kernelFor: (inputs, attrs, traits) => (programOf(inputs, attrs, traits) ? native : null),
    // without a rule the gradient goes through the definition
    vjp: (dy, inputs, y, attrs) =>
      vjp ? [null, ...vjp(dy, inputs.slice(1), y, named(attrs))] : inputs.map((_, i) => (i === 0 ? dy : null)),
  };

  return (inputs, given) => {
    const attrs = { ...definition.attrs, ...given };
    const values = names.map((n) => attrs[n] ?? NaN);
    const { shape, dtype } = infer(inputs, named(values));
    const nodes = inputs.map((x) => x.node);
    if (!compose) return new Tensor(new Node(native, nodes, values, shape, dtype));
    const defined = compose(inputs, named(values));
    if (!sameShape(defined.shape, shape) || defined.dtype !== dtype)
      throw new ShapeError(
        `${name}: compose must give ${dtype} ${formatShape(shape)} as infer says, got ${defined.dtype} ${formatShape(defined.shape)}`,
      );
    if (!kernel && !vjp) return defined;
    invariant(nodes.length > 0, `${name}: an op with a kernel or a rule must have inputs`);
    return new Tensor(new Node(composite, [defined.node, ...nodes], values, shape, dtype));
  };
}
