import { Node } from "../graph/node.ts";
import { within } from "../graph/scope.ts";

/**
 * Common subexpressions become one node. The graph given is left alone: inner nodes are rebuilt over the merged ones.
 * Leaves keep their identity; updates are never merged. Sets `index` of the nodes returned.
 */
export function mergeDuplicates(order: readonly Node[], roots: readonly Node[]): { order: Node[]; roots: Node[] } {
  const merged = new Map<Node, Node>();
  const byKey = new Map<string, Node>();
  const result: Node[] = [];
  const keep = (from: Node, to: Node): void => {
    to.index = result.push(to) - 1;
    merged.set(from, to);
  };
  order.forEach((node, at) => {
    const { op } = node;
    if (op === null) return keep(node, node);
    const inputs = node.inputs.map((n) => merged.get(n) ?? n);
    const key =
      op.kind === "update"
        ? `update ${at}`
        : `${op.id} ${node.dtype} ${node.shape.join()} ${node.attrs.join()} ${inputs.map((n) => n.index).join()}`;
    const twin = byKey.get(key);
    if (twin) {
      merged.set(node, twin);
      return;
    }
    const copy = within(node.scope, () => new Node(op, inputs, node.attrs, node.shape, node.dtype));
    byKey.set(key, copy);
    keep(node, copy);
  });
  return { order: result, roots: roots.map((r) => merged.get(r) ?? r) };
}
