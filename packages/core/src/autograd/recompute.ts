import { Node, topologicalOrder } from "../graph/node.ts";
import { nextOpId, type MovementOp } from "../primitives/op.ts";
import { Tensor } from "../tensor/tensor.ts";
import { gradients } from "./grad.ts";

/** The first input as it is, after the others: what is computed from it cannot start, or be merged with what came, before. */
const after: MovementOp = {
  id: nextOpId(),
  name: "after",
  kind: "movement",
  view: (view) => view,
  linear: false,
  vjp: (dy, inputs) => inputs.map((_, i) => (i === 0 ? dy : null)),
};

/** A segment's result. Inputs: the result, what the segment was called with, and the leaves it read besides. */
const segment: MovementOp = {
  id: nextOpId(),
  name: "segment",
  kind: "movement",
  view: (view) => view,
  linear: false,
  vjp: (dy, [y, ...sources]) => {
    if (!y) return [];
    const fresh = sources.map((x) => new Tensor(new Node(after, [x.node, dy.node], [], x.shape, x.dtype)));
    const again = replay(y.node, new Map(sources.map((x, i): [Node, Node] => [x.node, fresh[i]?.node ?? x.node])));
    return [null, ...gradients(new Tensor(again), fresh, dy)];
  },
};

/** The graph of `root` over other sources. */
function replay(root: Node, replaced: Map<Node, Node>): Node {
  for (const node of topologicalOrder([root], replaced)) {
    if (node.op === null) continue;
    const inputs = node.inputs.map((n) => replaced.get(n) ?? n);
    replaced.set(node, new Node(node.op, inputs, node.attrs, node.shape, node.dtype));
  }
  return replaced.get(root) ?? root;
}

/**
 * Calls a function whose intermediate results are not kept for the backward pass, but computed again from its inputs when their gradients are
 * due: memory for time. Results and gradients are those of calling it plainly.
 *
 * ```ts
 * const y = blocks.reduce((x, block) => recompute((h) => block.forward(h), [x]), x);
 * ```
 *
 * @param f may read parameters besides its inputs; what it computes from other tensors is computed again with it
 * @see Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost"
 */
export function recompute(f: (...inputs: Tensor[]) => Tensor, inputs: readonly Tensor[]): Tensor {
  const y = f(...inputs);
  const walls = new Map(inputs.map((x): [Node, Node] => [x.node, x.node]));
  const leaves = topologicalOrder([y.node], walls).filter((node) => node.op === null);
  const sources = [...inputs.map((x) => x.node), ...leaves];
  return new Tensor(new Node(segment, [y.node, ...sources], [], y.shape, y.dtype));
}
