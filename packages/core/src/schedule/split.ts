import { storedBytes } from "../base/dtype.ts";
import { sizeOf, type Shape } from "../base/shape.ts";
import { Node } from "../graph/node.ts";
import { elementwise } from "../primitives/elementwise.ts";
import { concat, expand, permute, slice } from "../primitives/structural.ts";

/** Bytes of a node's values written out. */
export const storedSize = ({ shape, dtype }: Node): number => storedBytes(sizeOf(shape), dtype);

/** What a kernel reads of a node: repeating values takes nothing. */
export const bytesOf = (node: Node): number =>
  node.op === expand && node.inputs[0] ? bytesOf(node.inputs[0]) : storedSize(node);

/** Places [start, end) of an axis. */
export function part(x: Node, axis: number, start: number, end: number): Node {
  const shape = x.shape.map((n, a) => (a === axis ? end - start : n));
  const starts = x.shape.map((_, a) => (a === axis ? start : 0));
  return new Node(slice, [x], [...starts, ...x.shape.map(() => 1), ...shape], shape, x.dtype);
}

/** Pieces joined along an axis; a result too large for one binding is written in order, the axis in front. */
export function joined(parts: readonly Node[], axis: number, shape: Shape, limit: number): Node {
  const [first] = parts;
  const dtype = first?.dtype ?? "f32";
  const inOrder = shape.slice(0, axis).every((n) => n === 1);
  if (inOrder || storedBytes(sizeOf(shape), dtype) <= limit) return new Node(concat, parts, [axis], shape, dtype);
  const front = [axis, ...shape.flatMap((_, a) => (a === axis ? [] : [a]))];
  const back = shape.map((_, a) => front.indexOf(a));
  const moved = parts.map(
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

/** Places of an axis by pieces of so many: as many pieces as `largest` bytes need under the limit. */
export function* pieces(n: number, largest: number, limit: number): Generator<readonly [start: number, end: number]> {
  const length = Math.max(1, Math.floor(n / Math.ceil((1.05 * largest) / limit)));
  for (let start = 0; start < n; start += length) yield [start, Math.min(n, start + length)];
}

/** Sum of nodes of one shape. */
export const summed = (parts: readonly Node[]): Node =>
  parts.reduce((a, b) => new Node(elementwise.add, [a, b], [], a.shape, a.dtype));

/** A product [..., m, k]·[..., k, n] whose matrices are too large for one binding as several products; null where none is. */
export function splitMatmul(node: Node, limit: number): Node | null {
  const { op, inputs, attrs, shape, dtype } = node;
  const [a, b, bias] = inputs;
  if (!a || !b) return null;
  const largest = Math.max(bytesOf(a), bytesOf(b), storedSize(node));
  if (largest <= limit) return null;
  const rank = shape.length;
  const leading = shape.findIndex((n, axis) => n > 1 && axis < rank - 2);
  // rows first: they are written in order
  const byRows = Math.max(bytesOf(a), storedSize(node));
  const byColumns = leading < 0 && (byRows <= limit || shape.at(-2) === 1);
  const axis = leading >= 0 ? leading : rank - (byColumns ? 1 : 2);
  const n = shape[axis] ?? 1;
  if (n === 1) return null;
  const products: Node[] = [];
  for (const [start, end] of pieces(n, byColumns || leading >= 0 ? largest : byRows, limit)) {
    const left = byColumns ? a : part(a, axis, start, end);
    const right = byColumns || leading >= 0 ? part(b, axis, start, end) : b;
    const added = bias ? [byColumns ? part(bias, 0, start, end) : bias] : [];
    const piece = shape.map((size, i) => (i === axis ? end - start : size));
    const product = new Node(op, [left, right, ...added], attrs, piece, dtype);
    products.push(splitMatmul(product, limit) ?? product);
  }
  return joined(products, axis, shape, limit);
}
