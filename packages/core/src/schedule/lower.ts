import { isPacked, storedBytes, wideType, type PackedDType } from "../base/dtype.ts";
import { invariant } from "../base/errors.ts";
import { nearest } from "../base/packed.ts";
import { sizeOf } from "../base/shape.ts";
import { Node, topologicalOrder } from "../graph/node.ts";
import { within } from "../graph/scope.ts";
import type { DeviceTraits } from "../kernels/kernel.ts";
import { convForward, convInputGrad, convWeightGrad } from "../primitives/conv.ts";
import { elementwise } from "../primitives/elementwise.ts";
import { gatherOp, scatterAddOp } from "../primitives/gather.ts";
import { matmul } from "../primitives/matmul.ts";
import { concat, constant, pick } from "../primitives/structural.ts";
import { splitConv } from "./split-conv.ts";
import { splitGather } from "./split-gather.ts";
import { splitKernel } from "./split-kernel.ts";
import { joined, splitMatmul } from "./split.ts";

const ROUNDINGS = { f16: elementwise.toF16, bf16: elementwise.toBf16, u8: elementwise.toU8 } as const;

/**
 * From what a user writes to what the planner knows. The graph given is left alone: nodes above a replaced one are rebuilt.
 *
 * - A composite op becomes its kernel, or its definition where the adapter has no use for the kernel.
 * - Ops on packed types are computed in wide ones. Between the ops of one plan a half keeps the precision of an f32, but for explicit
 *   casts, which round at once; what is stored is rounded once.
 * - Products, convolutions, gathers and joins too large for the adapter's bindings become several.
 */
export function lowerGraph(
  order: readonly Node[],
  roots: readonly Node[],
  traits: DeviceTraits,
): { order: readonly Node[]; roots: readonly Node[] } {
  // what a kernel needs beside its tensors is at most about as large
  const large = (node: Node): boolean => 2 * storedBytes(sizeOf(node.shape), node.dtype) > traits.maxStorageBinding;
  if (!order.some((node) => node.op?.kind === "composite" || isPacked(node.dtype) || large(node)))
    return { order, roots };
  const lowering = new Lowering(traits);
  for (const node of order) within(node.scope, () => lowering.add(node));
  const newRoots = roots.map((root) => lowering.stored(root));
  return { order: topologicalOrder(newRoots), roots: newRoots };
}

class Lowering {
  readonly #traits: DeviceTraits;
  /** What takes the place of a node of the graph given. */
  readonly #stored = new Map<Node, Node>();
  /** The wide form of packed ones. */
  readonly #wide = new Map<Node, Node>();
  /** Outputs of kernels whose work is separated, null where it is not. */
  readonly #kernels = new Map<Node, readonly Node[] | null>();

  constructor(traits: DeviceTraits) {
    this.#traits = traits;
  }

  get #limit(): number {
    return this.#traits.maxStorageBinding;
  }

  stored(node: Node): Node {
    return this.#stored.get(node) ?? node;
  }

  #widened(node: Node): Node {
    const stored = this.stored(node);
    const dtype = wideType(node.dtype);
    if (dtype === node.dtype) return stored;
    const known = this.#wide.get(node);
    if (known) return known;
    const wide =
      stored.op === constant
        ? new Node(constant, [], [nearest(stored.attrs[0] ?? 0, stored.dtype)], stored.shape, dtype)
        : new Node(elementwise.cast, [stored], [], stored.shape, dtype);
    this.#wide.set(node, wide);
    return wide;
  }

  /** Takes a node whose inputs have been taken. */
  add(node: Node): void {
    const { op } = node;
    if (op === null || op === constant) return;
    if (op.kind === "update")
      return this.#rebuild(
        node,
        node.inputs.map((n) => this.stored(n)),
      );
    if (op.kind === "composite") return this.#composite(node);
    if (op.kind === "movement" || op.kind === "pad") return this.#moved(node);
    if (!isPacked(node.dtype)) return this.#rebuild(node, this.#operands(node));
    this.#narrow(node, node.dtype, this.#computed(node), op === elementwise.cast);
  }

  #rebuild(node: Node, inputs: readonly Node[]): void {
    const same = inputs.every((n, i) => n === node.inputs[i]);
    const rebuilt = same ? node : new Node(node.op, inputs, node.attrs, node.shape, node.dtype);
    const split = this.#split(rebuilt);
    if (split !== node) this.#stored.set(node, split);
  }

  /** The node, or what does its work on parts that can be bound. */
  #split(node: Node): Node {
    const limit = this.#limit;
    const split = this.#splitterOf(node)?.(node, limit) ?? this.#separated(node);
    if (split) return split;
    const large = storedBytes(sizeOf(node.shape), node.dtype) > limit;
    return large && node.op === concat ? joined(node.inputs, node.attrs[0] ?? 0, node.shape, limit) : node;
  }

  #splitterOf({ op }: Node): ((node: Node, limit: number) => Node | null) | null {
    if (op === matmul) return splitMatmul;
    if (op === convForward || op === convInputGrad || op === convWeightGrad) return splitConv;
    return op === gatherOp || op === scatterAddOp ? splitGather : null;
  }

  /** A kernel's only output, or one of several, where the kernel is separated. */
  #separated(node: Node): Node | null {
    if (node.op === pick) return node.inputs[0] ? (this.#parts(node.inputs[0])?.[node.attrs[0] ?? 0] ?? null) : null;
    const [only, ...more] = node.op?.kind === "kernel" ? (this.#parts(node) ?? []) : [];
    return only && more.length === 0 ? only : null;
  }

  #parts(kernel: Node): readonly Node[] | null {
    const known = this.#kernels.get(kernel);
    if (known !== undefined) return known;
    const parts = splitKernel(kernel, this.#traits);
    this.#kernels.set(kernel, parts);
    return parts;
  }

  #composite(node: Node): void {
    const [definition, ...own] = node.inputs;
    const inputs = own.map((n) => this.#widened(n));
    invariant(node.op?.kind === "composite" && definition !== undefined, "planner: a composite op has no definition");
    const kernel = node.op.kernelFor(inputs, node.attrs, this.#traits);
    if (!kernel) {
      this.#stored.set(node, this.stored(definition));
      if (isPacked(node.dtype)) this.#wide.set(node, this.#widened(definition));
      return;
    }
    const computed = new Node(kernel, inputs, node.attrs, node.shape, wideType(node.dtype));
    if (isPacked(node.dtype)) this.#narrow(node, node.dtype, computed, false);
    else this.#stored.set(node, computed);
  }

  /** Packed elements are moved as they are, and computed ones before they are packed. */
  #moved(node: Node): void {
    this.#rebuild(
      node,
      node.inputs.map((n) => this.stored(n)),
    );
    const [input] = node.inputs;
    const wide = input && this.#wide.get(input);
    if (wide && this.stored(input).op !== null)
      this.#wide.set(node, new Node(node.op, [wide], node.attrs, node.shape, wideType(node.dtype)));
  }

  /** Wide inputs; stored ones as they are where the kernel reads them so. What this plan computes keeps its precision. */
  #operands({ op, inputs }: Node): Node[] {
    const readable = op?.kind === "kernel" ? (op.packed ?? []) : [];
    return inputs.map((input, i) => {
      const wide = this.#widened(input);
      const [narrow] = wide.op === elementwise.cast ? wide.inputs : [];
      return readable.includes(i) && narrow && isPacked(narrow.dtype) ? narrow : wide;
    });
  }

  #computed(node: Node): Node {
    const inputs = this.#operands(node);
    const dtype = wideType(node.dtype);
    const [first] = inputs;
    if (node.op === elementwise.cast && first?.dtype === dtype) return first;
    return this.#split(new Node(node.op, inputs, node.attrs, node.shape, dtype));
  }

  #narrow(node: Node, dtype: PackedDType, computed: Node, rounded: boolean): void {
    const rounding = ROUNDINGS[dtype];
    this.#stored.set(node, new Node(rounding, [computed], [], node.shape, dtype));
    // whole numbers wrap at once
    const exact = rounded || dtype === "u8";
    this.#wide.set(node, exact ? new Node(rounding, [computed], [], node.shape, computed.dtype) : computed);
  }
}
