import { Node } from "../graph/node.ts";
import { argsortOp } from "../primitives/argsort.ts";
import { elementwise } from "../primitives/elementwise.ts";
import { gatherOp } from "../primitives/gather.ts";
import { constant } from "../primitives/structural.ts";
import { joined, part, pieces, storedSize, summed } from "./split.ts";

/** Row numbers counted from a later row. */
const countedFrom = (ids: Node, row: number): Node =>
  new Node(elementwise.sub, [ids, new Node(constant, [], [row], ids.shape, ids.dtype)], [], ids.shape, ids.dtype);

/**
 * Rows gathered from a table [outer, rows, width], or added to one, with tensors too large for one binding as several: of tables, then of ids, then of rows,
 * where a row of another part counts as outside. Null where none is, or where a single row is.
 */
export function splitGather(node: Node, limit: number): Node | null {
  const { op, inputs, attrs, shape, dtype } = node;
  const [first, ids, order] = inputs;
  if (!first || !ids) return null;
  const gathers = op === gatherOp;
  const table = gathers ? first : node;
  const rows = gathers ? node : first;
  const largest = Math.max(storedSize(table), storedSize(rows));
  if (largest <= limit) return null;
  const [outer = 0, count = 0, width = 0] = table.shape;
  const length = ids.shape[1] ?? 0;
  const again = (piece: Node): Node => splitGather(piece, limit) ?? piece;
  const made: Node[] = [];

  if (outer > 1) {
    for (const [start, end] of pieces(outer, largest, limit)) {
      const own = inputs.map((x) => part(x, 0, start, end));
      made.push(again(new Node(op, own, attrs, [end - start, ...shape.slice(1)], dtype)));
    }
    return joined(made, 0, shape, limit);
  }

  if (storedSize(rows) > limit && length > 1) {
    for (const [start, end] of pieces(length, storedSize(rows), limit)) {
      const some = part(ids, 1, start, end);
      if (gathers) made.push(again(new Node(op, [first, some], attrs, [1, end - start, width], dtype)));
      else {
        const sorted = order ? [new Node(argsortOp, [some], [0], some.shape, "i32")] : [];
        made.push(again(new Node(op, [part(first, 1, start, end), some, ...sorted], attrs, shape, dtype)));
      }
    }
    return gathers ? joined(made, 1, shape, limit) : summed(made);
  }

  if (storedSize(table) <= limit || count <= 1 || dtype === "bool") return null;
  for (const [start, end] of pieces(count, storedSize(table), limit)) {
    const some = countedFrom(ids, start);
    made.push(
      gathers
        ? new Node(op, [part(first, 1, start, end), some], attrs, shape, dtype)
        : new Node(op, [first, some, ...(order ? [order] : [])], [end - start], [1, end - start, width], dtype),
    );
  }
  return gathers ? summed(made) : joined(made, 1, shape, limit);
}
