import { storedBytes } from "../base/dtype.ts";
import { sizeOf, type Shape } from "../base/shape.ts";
import { Node } from "../graph/node.ts";
import { concat, expand, permute, slice } from "../primitives/structural.ts";

/** What a node's values take: repeating them takes nothing. */
const bytesOf = ({ op, inputs, shape, dtype }: Node): number =>
  op === expand && inputs[0] ? bytesOf(inputs[0]) : storedBytes(sizeOf(shape), dtype);

function part(x: Node, axis: number, start: number, end: number): Node {
  const shape = x.shape.map((n, a) => (a === axis ? end - start : n));
  const starts = x.shape.map((_, a) => (a === axis ? start : 0));
  return new Node(slice, [x], [...starts, ...x.shape.map(() => 1), ...shape], shape, x.dtype);
}

/** Pieces joined along an axis; a result too large for one binding is written in order, the axis in front. */
export function joined(pieces: readonly Node[], axis: number, shape: Shape, limit: number): Node {
  const [first] = pieces;
  const dtype = first?.dtype ?? "f32";
  const inOrder = shape.slice(0, axis).every((n) => n === 1);
  if (inOrder || storedBytes(sizeOf(shape), dtype) <= limit) return new Node(concat, pieces, [axis], shape, dtype);
  const front = [axis, ...shape.flatMap((_, a) => (a === axis ? [] : [a]))];
  const back = shape.map((_, a) => front.indexOf(a));
  const moved = pieces.map(
    (p) =>
      new Node(
        permute,
        [p],
        front,
        front.map((a) => p.shape[a] ?? 1),
        p.dtype,
      ),
  );
  const turned = front.map((a) => shape[a] ?? 1);
  return new Node(permute, [new Node(concat, moved, [0], turned, dtype)], back, shape, dtype);
}

/** A product [..., m, k]·[..., k, n] whose matrices are too large for one binding as several products; null where none is. */
export function splitMatmul({ op, inputs, attrs, shape, dtype }: Node, limit: number): Node | null {
  const [a, b, bias] = inputs;
  if (!a || !b) return null;
  const largest = Math.max(bytesOf(a), bytesOf(b), storedBytes(sizeOf(shape), dtype));
  if (largest <= limit) return null;
  const rank = shape.length;
  const leading = shape.findIndex((n, axis) => n > 1 && axis < rank - 2);
  const byColumns = leading < 0 && bytesOf(b) > limit;
  const axis = leading >= 0 ? leading : rank - (byColumns ? 1 : 2);
  const n = shape[axis] ?? 1;
  const length = Math.max(1, Math.floor(n / Math.ceil((1.05 * largest) / limit)));
  if (length >= n) return null;
  const pieces: Node[] = [];
  for (let start = 0; start < n; start += length) {
    const end = Math.min(n, start + length);
    const left = byColumns ? a : part(a, axis, start, end);
    const right = byColumns || leading >= 0 ? part(b, axis, start, end) : b;
    const added = bias ? [byColumns ? part(bias, 0, start, end) : bias] : [];
    const piece = shape.map((size, i) => (i === axis ? end - start : size));
    const product = new Node(op, [left, right, ...added], attrs, piece, dtype);
    pieces.push(splitMatmul(product, limit) ?? product);
  }
  return joined(pieces, axis, shape, limit);
}
