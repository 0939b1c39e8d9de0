import { invariant } from "../base/errors.ts";
import { Node, topologicalOrder } from "../graph/node.ts";
import type { DeviceTraits } from "../kernels/kernel.ts";

/**
 * Replaces each composite op by its kernel, or by its definition where the adapter has no use for the kernel. The graph given is left alone:
 * nodes above a replaced one are rebuilt.
 */
export function lowerComposites(
  order: readonly Node[],
  roots: readonly Node[],
  traits: DeviceTraits,
): { order: readonly Node[]; roots: readonly Node[] } {
  if (!order.some((node) => node.op?.kind === "composite")) return { order, roots };
  const lowered = new Map<Node, Node>();
  const lower = (node: Node): Node => lowered.get(node) ?? node;
  for (const node of order) {
    const { op } = node;
    const inputs = node.inputs.map(lower);
    if (op?.kind === "composite") {
      const [definition, ...own] = inputs;
      const kernel = op.kernelFor(own, node.attrs, traits);
      const chosen = kernel ? new Node(kernel, own, node.attrs, node.shape, node.dtype) : definition;
      invariant(chosen !== undefined, `planner: ${op.name} has neither kernel nor definition`);
      lowered.set(node, chosen);
    } else if (op && inputs.some((n, i) => n !== node.inputs[i]))
      lowered.set(node, new Node(op, inputs, node.attrs, node.shape, node.dtype));
  }
  const newRoots = roots.map(lower);
  return { order: topologicalOrder(newRoots), roots: newRoots };
}
