import { formatShape } from "../base/shape.ts";
import { topologicalOrder, type Node } from "./node.ts";

/** What a node is called in a dump: its op, or where a leaf's values are. */
export function nodeLabel(node: Node): string {
  if (node.op) {
    const attrs = node.attrs.length > 0 && node.attrs.length <= 6 ? ` ${node.attrs.join(" ")}` : "";
    return `${node.op.name}${attrs}`;
  }
  return node.source?.kind === "device" ? "leaf (device)" : "leaf (host)";
}

/** The graph behind some nodes, a line each, inputs before users: `%3 = mul(%1, %2) f32 [4, 5]`. */
export function describeNodes(roots: readonly Node[]): string {
  const order = topologicalOrder(roots);
  const names = new Map(order.map((node, i): [Node, string] => [node, `%${i}`]));
  const lines = order.map((node) => {
    const inputs = node.inputs.map((n) => names.get(n) ?? "?").join(", ");
    return `${names.get(node)} = ${nodeLabel(node)}${node.op ? `(${inputs})` : ""} ${node.dtype} ${formatShape(node.shape)}`;
  });
  return [...lines, `return ${roots.map((r) => names.get(r) ?? "?").join(", ")}`].join("\n");
}
