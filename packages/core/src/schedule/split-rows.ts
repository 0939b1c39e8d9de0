import { Node } from "../graph/node.ts";
import { joined, part, pieces, storedSize } from "./split.ts";

/** Work on rows [outer, n], each by itself, with tensors too large for one binding as several; null where none is, or where a single row is. */
export function splitRows(node: Node, limit: number): Node | null {
  const { op, inputs, attrs, shape, dtype } = node;
  const [outer = 0, n = 0] = shape;
  const largest = Math.max(storedSize(node), ...inputs.map(storedSize));
  if (largest <= limit || outer <= 1) return null;
  const made: Node[] = [];
  for (const [start, end] of pieces(outer, largest, limit)) {
    const own = inputs.map((x) => part(x, 0, start, end));
    made.push(new Node(op, own, attrs, [end - start, n], dtype));
  }
  return joined(made, 0, shape, limit);
}
