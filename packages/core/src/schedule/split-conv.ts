import { Node } from "../graph/node.ts";
import {
  convForward,
  convInputGrad,
  convWeightGrad,
  packGeometry,
  unpackGeometry,
  type Geometry,
  type Triple,
} from "../primitives/conv.ts";
import { joined, part, pieces, storedSize, summed } from "./split.ts";

type Range = readonly [start: number, end: number];

/** A part of a convolution, and the places of an axis of its two sides that it is between. */
interface Piece {
  readonly geometry: Geometry;
  readonly input: Range;
  readonly output: Range;
}

const clip = (at: number, n: number): number => Math.min(n, Math.max(0, at));
const replaced = ([x, y, z]: Triple, axis: number, value: number): Triple => [
  axis === 0 ? value : x,
  axis === 1 ? value : y,
  axis === 2 ? value : z,
];

/** Axis 0 is that of the samples; those of space follow. */
function pieceOf(g: Geometry, axis: number, side: "input" | "output", [start, end]: Range): Piece {
  if (axis === 0) return { geometry: { ...g, batch: end - start }, input: [start, end], output: [start, end] };
  const a = axis - 1;
  const of = (values: Triple): number => values[a] ?? 1;
  const [stride, padding, inputs, outputs] = [of(g.stride), of(g.padBefore), of(g.input), of(g.output)];
  const reach = (of(g.kernel) - 1) * of(g.dilation);
  const cut = (input: Range, output: Range, padBefore: number): Piece => ({
    geometry: {
      ...g,
      input: replaced(g.input, a, input[1] - input[0]),
      output: replaced(g.output, a, output[1] - output[0]),
      padBefore: replaced(g.padBefore, a, padBefore),
    },
    input,
    output,
  });
  if (side === "input") {
    const from = clip(Math.floor((start + padding - reach) / stride), outputs);
    const to = clip(Math.floor((end - 1 + padding) / stride) + 1, outputs);
    return cut([start, end], [from, Math.max(from, to)], padding + start - from * stride);
  }
  const first = start * stride - padding;
  const from = clip(first, inputs);
  const to = clip((end - 1) * stride - padding + reach + 1, inputs);
  return cut([from, Math.max(from, to)], [start, end], from - first);
}

/**
 * A convolution, or one of its gradients, with tensors too large for one binding as several: of samples, then of rows of the first axis that has more than
 * one. Null where none is, and where that does not help: the weights alone are too large, or a part would lie in the padding alone.
 */
export function splitConv(node: Node, limit: number): Node | null {
  const { op, inputs, attrs, shape, dtype } = node;
  const [a, b, bias] = inputs;
  if (!a || !b) return null;
  const largest = Math.max(storedSize(a), storedSize(b), storedSize(node));
  if (largest <= limit) return null;
  const g = unpackGeometry(attrs);
  const side = op === convInputGrad ? "input" : "output";
  const sizes = [g.batch, ...g[side]];
  const axis = sizes.findIndex((n) => n > 1);
  const weight = op === convWeightGrad ? node : b;
  if (axis < 0 || storedSize(weight) > limit) return null;
  const results: Node[] = [];
  for (const range of pieces(sizes[axis] ?? 1, largest, limit)) {
    const { geometry, input, output } = pieceOf(g, axis, side, range);
    if (side === "output" && input[0] === input[1]) return null;
    const packed = packGeometry(geometry);
    const own = shape.map((n, i) => (i === axis ? range[1] - range[0] : n));
    const cut = (x: Node, [start, end]: Range): Node => part(x, axis, start, end);
    let piece: Node;
    if (op === convForward) piece = new Node(op, [cut(a, input), b, ...(bias ? [bias] : [])], packed, own, dtype);
    else if (op === convInputGrad) piece = new Node(op, [cut(a, output), b], packed, own, dtype);
    else piece = new Node(op, [cut(a, input), cut(b, output)], packed, shape, dtype);
    results.push(splitConv(piece, limit) ?? piece);
  }
  return op === convWeightGrad ? summed(results) : joined(results, axis, shape, limit);
}
