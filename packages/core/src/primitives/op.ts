import type { DType } from "../base/dtype.ts";
import type { Shape } from "../base/shape.ts";
import type { View } from "../base/view.ts";
import type { Epilogue } from "../kernels/epilogue.ts";
import type { DeviceTraits, Program } from "../kernels/kernel.ts";
import type { Node } from "../graph/node.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Gradients of an op's inputs, in order; null where an input has none. */
export type Vjp = (
  dy: Tensor,
  inputs: readonly Tensor[],
  y: Tensor,
  attrs: readonly number[],
  make: MakeTensor,
) => readonly (Tensor | null)[];

/** Wraps a node: rules may not import Tensor, which imports them. */
export type MakeTensor = (node: Node) => Tensor;

interface Common {
  readonly id: number;
  readonly name: string;
}

/** Element i of the result is a function of element i of each input. */
export interface ElementwiseOp extends Common {
  readonly kind: "elementwise";
  /** WGSL of the result; arguments and result may be vec4. `type` is the WGSL type of the result (`f32`, `vec4<f32>`, …). */
  readonly wgsl: (args: readonly string[], type: string, attrs: readonly number[]) => string;
  /** Recomputing beats a round trip through memory. */
  readonly cheap: boolean;
  /** WGSL functions that the expression calls, for arguments of `type`. */
  readonly functions?: (type: string) => readonly string[];
  /** Dtypes of the operands. */
  readonly takes: readonly DType[];
  readonly vjp: Vjp;
}

/** The result is the input seen with other strides. */
export interface MovementOp extends Common {
  readonly kind: "movement";
  /** Null where no strides can express it: the planner copies first. */
  readonly view: (source: View, shape: Shape, attrs: readonly number[]) => View | null;
  /** Element i of the result is element i of the source, whatever the shapes. */
  readonly linear: boolean;
  readonly vjp: Vjp;
}

export type StructuralKind = "const" | "iota" | "random" | "pad" | "concat" | "reduce" | "pick";

/** Ops that the planner knows by kind. */
export interface StructuralOp extends Common {
  readonly kind: StructuralKind;
  readonly vjp: Vjp;
}

/** What a kernel may ask of an input's layout. */
export interface KernelInput extends View {
  readonly dtype: DType;
}

/** A way to do a kernel's work in parts that know nothing of each other. */
export interface Separation {
  /** Of each input the axis that is cut, of the first always one; null where every part reads all of it. */
  readonly inputs: readonly (number | null)[];
  /** Of each output the axis along which the parts lie, or "sum" where each part gives a share of all of it. */
  readonly outputs: readonly (number | "sum")[];
}

/** An op with kernels of its own. Several outputs are reached through `pick` nodes. */
export interface KernelOp extends Common {
  readonly kind: "kernel";
  readonly outputs: (
    inputs: readonly KernelInput[],
    attrs: readonly number[],
  ) => readonly { shape: Shape; dtype: DType }[];
  /** True where the kernel can read this input as it lies; otherwise it is made contiguous first. */
  readonly accepts: (view: View, input: number, attrs: readonly number[]) => boolean;
  /** Inputs that the kernel reads in packed floating types, too; the others are widened first. */
  readonly packed?: readonly number[];
  readonly program: (inputs: readonly KernelInput[], attrs: readonly number[], traits: DeviceTraits) => Program;
  /** The program with an epilogue for its only output, whose inputs follow the op's own; null where the kernel cannot. */
  readonly finished?: (
    inputs: readonly KernelInput[],
    attrs: readonly number[],
    traits: DeviceTraits,
    epilogue: Epilogue,
  ) => Program | null;
  /** Ways to separate the work of tensors too large for one binding, best first; none where this is left out. */
  readonly separable?: (attrs: readonly number[], inputs: number) => readonly Separation[];
  /** Additions and multiplications of its products; 0, which is small beside them, where this is left out. */
  readonly flops?: (inputs: readonly { readonly shape: Shape }[], attrs: readonly number[]) => number;
  readonly vjp: Vjp;
  /** Gradients of an op with several outputs: one dy an output, null where unused. */
  readonly vjpMany?: (
    dys: readonly (Tensor | null)[],
    inputs: readonly Tensor[],
    outputs: readonly Tensor[],
    attrs: readonly number[],
    make: MakeTensor,
  ) => readonly (Tensor | null)[];
}

/**
 * An op with a definition in terms of others and, where the adapter suits it, a kernel. Input 0 is the graph of the definition, the others
 * are the op's own inputs; planning takes the one or the other.
 */
export interface CompositeOp extends Common {
  readonly kind: "composite";
  /** Null where the definition is to be run. Its inputs are the op's own. */
  readonly kernelFor: (
    inputs: readonly { readonly shape: Shape; readonly dtype: DType }[],
    attrs: readonly number[],
    traits: DeviceTraits,
  ) => KernelOp | null;
  readonly vjp: Vjp;
}

/** Writes some of its inputs in place, after every reader of theirs in the same plan. Its result is an empty token. */
export interface UpdateOp extends Common {
  readonly kind: "update";
  /** Indices of the inputs that are written; each must be a realised tensor. */
  readonly targets: readonly number[];
  /** How many of its last inputs several updates may have in common. */
  readonly shared: number;
  /** Of one update or several: the own inputs of each, one update's after another's, then the shared ones. */
  readonly program: (inputs: readonly KernelInput[]) => Program;
}

export type Op = ElementwiseOp | MovementOp | StructuralOp | KernelOp | CompositeOp | UpdateOp;

let count = 0;
/** Ids are dense and given in import order; they never reach WGSL text. */
export const nextOpId = (): number => ++count;
