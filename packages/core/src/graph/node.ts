import type { DType, TypedArray } from "../base/dtype.ts";
import type { Shape } from "../base/shape.ts";
import type { Op } from "../primitives/op.ts";
import { currentScope } from "./scope.ts";
import type { Storage } from "./storage.ts";

/** Where a leaf's values are. */
export type Source =
  | { readonly kind: "device"; readonly storage: Storage; readonly version: number }
  | { readonly kind: "host"; readonly array: TypedArray };

let epoch = 0;
export const nextEpoch = (): number => ++epoch;

/**
 * One operation of the lazy graph. Immutable but for one event: `realize` turns a root into a leaf, which drops its op and inputs
 * so that the recipe can be collected.
 */
export class Node {
  op: Op | null;
  inputs: readonly Node[];
  attrs: readonly number[];
  readonly shape: Shape;
  readonly dtype: DType;
  source: Source | null;
  /** Path of the module that recorded it. */
  readonly scope = currentScope();
  /** Scratch of graph walks: `index` is valid while `mark` equals the walk's epoch. */
  mark = 0;
  index = 0;

  constructor(
    op: Op | null,
    inputs: readonly Node[],
    attrs: readonly number[],
    shape: Shape,
    dtype: DType,
    source: Source | null = null,
  ) {
    this.op = op;
    this.inputs = inputs;
    this.attrs = attrs;
    this.shape = shape;
    this.dtype = dtype;
    this.source = source;
  }

  become(source: Source): void {
    this.op = null;
    this.inputs = [];
    this.attrs = [];
    this.source = source;
  }
}

/**
 * Nodes that `roots` depend on, inputs before users, without recursion.
 *
 * @param walls nodes that are left out, with what only they depend on
 */
export function topologicalOrder(roots: readonly Node[], walls?: ReadonlyMap<Node, unknown>): Node[] {
  const mark = nextEpoch();
  if (walls) for (const wall of walls.keys()) wall.mark = mark;
  const order: Node[] = [];
  const stack: Node[] = [];
  const cursor: number[] = [];
  for (const root of roots) {
    if (root.mark === mark) continue;
    stack.push(root);
    cursor.push(0);
    root.mark = mark;
    while (stack.length > 0) {
      const top = stack.length - 1;
      const node = stack[top] as Node; // the stack is not empty
      const at = cursor[top] ?? 0;
      const child = node.inputs[at];
      if (child === undefined) {
        node.index = order.length;
        order.push(node);
        stack.pop();
        cursor.pop();
      } else {
        cursor[top] = at + 1;
        if (child.mark !== mark) {
          child.mark = mark;
          stack.push(child);
          cursor.push(0);
        }
      }
    }
  }
  return order;
}
