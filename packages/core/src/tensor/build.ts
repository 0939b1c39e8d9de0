import { promote, wideType, type DType } from "../base/dtype.ts";
import { DTypeError, ShapeError } from "../base/errors.ts";
import { broadcastShapes, formatShape, sameShape, sizeOf, type Shape } from "../base/shape.ts";
import { Node } from "../graph/node.ts";
import type { ElementwiseOp, KernelOp } from "../primitives/op.ts";
import { elementwise } from "../primitives/elementwise.ts";
import * as structural from "../primitives/structural.ts";

/**
 * Node constructors with the rewrites that are cheapest at birth. The main one: a permutation sinks below elementwise ops and reductions, so
 * that a network written channels-first runs channels-last between two convolutions with nothing copied.
 */

/** @throws DTypeError when the dtype cannot hold the value */
export function constantNode(value: number, shape: Shape, dtype: DType): Node {
  const [least, bits] = dtype === "u8" ? [0, 8] : [-(2 ** 31), 32];
  const whole = dtype === "i32" || dtype === "u32" || dtype === "u8";
  if (whole && (!Number.isInteger(value) || value < least || value >= 2 ** bits))
    throw new DTypeError(
      `constant: ${dtype} must be given whole numbers of ${bits} bits, got ${value}; cast the tensor to f32 first`,
    );
  return new Node(structural.constant, [], [value], shape, dtype);
}

const isConstant = (node: Node): boolean => node.op === structural.constant;
const isPermute = (node: Node): boolean => node.op === structural.permute;
const firstInput = (node: Node): Node => node.inputs[0] ?? node;

export function permuteNode(x: Node, order: readonly number[]): Node {
  if (order.every((axis, i) => axis === i)) return x;
  const shape = order.map((i) => x.shape[i] ?? 1);
  if (isConstant(x)) return constantNode(x.attrs[0] ?? 0, shape, x.dtype);
  if (isPermute(x))
    return permuteNode(
      firstInput(x),
      order.map((i) => x.attrs[i] ?? 0),
    );
  return new Node(structural.permute, [x], order, shape, x.dtype);
}

export function reshapeNode(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  if (isConstant(x)) return constantNode(x.attrs[0] ?? 0, shape, x.dtype);
  if (x.op === structural.reshape) return reshapeNode(firstInput(x), shape);
  return new Node(structural.reshape, [x], shape, shape, x.dtype);
}

export function expandNode(op: string, x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  const front = shape.length - x.shape.length;
  if (front < 0 || !x.shape.every((n, i) => n === 1 || n === shape[front + i]))
    throw new ShapeError(`${op}: ${formatShape(x.shape)} must broadcast to ${formatShape(shape)}`);
  if (isConstant(x)) return constantNode(x.attrs[0] ?? 0, shape, x.dtype);
  const aligned = front === 0 ? x : reshapeNode(x, [...new Array<number>(front).fill(1), ...x.shape]);
  return sameShape(aligned.shape, shape) ? aligned : new Node(structural.expand, [aligned], shape, shape, x.dtype);
}

export function broadcastAll(op: string, nodes: readonly Node[]): Node[] {
  const shape = nodes.reduce<Shape>((s, n) => broadcastShapes(op, s, n.shape), []);
  return nodes.map((n) => expandNode(op, n, shape));
}

/** @throws DTypeError unless `dtype` is one of `takes` */
export function expectDType(op: string, dtype: DType, takes: readonly DType[]): void {
  if (!takes.includes(wideType(dtype)))
    throw new DTypeError(`${op}: input must be ${takes.join(" or ")}, got ${dtype}; cast it first`);
}

export const castNode = (x: Node, dtype: DType): Node =>
  x.dtype === dtype ? x : elementwiseNode(elementwise.cast, [x], dtype);

/** Both operands at their common shape and dtype. A constant takes the other's dtype. */
export function broadcastPair(op: string, a: Node, b: Node): [Node, Node] {
  const dtype = isConstant(a) ? b.dtype : isConstant(b) ? a.dtype : promote(op, a.dtype, b.dtype);
  const cast = (x: Node): Node =>
    isConstant(x) && x.dtype !== dtype ? constantNode(x.attrs[0] ?? 0, x.shape, dtype) : castNode(x, dtype);
  const [left, right] = [cast(a), cast(b)];
  const shape = broadcastShapes(op, left.shape, right.shape);
  return [expandNode(op, left, shape), expandNode(op, right, shape)];
}

/** Ops of two numbers that are known before anything runs, as an f32 has them: a gradient begins with some. */
const folded = new Map<ElementwiseOp, (a: number, b: number) => number>([
  [elementwise.add, (a, b) => a + b],
  [elementwise.sub, (a, b) => a - b],
  [elementwise.mul, (a, b) => a * b],
]);

/** The inputs share one shape. */
export function elementwiseNode(op: ElementwiseOp, inputs: readonly Node[], dtype: DType): Node {
  const shape = inputs[0]?.shape ?? [];
  const fold = dtype === "f32" && inputs.every(isConstant) ? folded.get(op) : undefined;
  if (fold) return constantNode(fold(inputs[0]?.attrs[0] ?? 0, inputs[1]?.attrs[0] ?? 0), shape, dtype);
  const size = sizeOf(shape);
  const lead =
    inputs.find(
      (n) => isPermute(n) && sizeOf(firstInput(n).shape) === size && firstInput(n).op !== structural.expand,
    ) ?? null;
  const blocked = inputs.some((n) => n !== lead && !isPermute(n) && !isConstant(n) && n.op !== structural.expand);
  if (!lead || (blocked && inputs[0] !== lead)) return new Node(op, inputs, [], shape, dtype);
  const inverse = structural.inversePermutation(lead.attrs);
  const below = inputs.map((n) => permuteNode(n, inverse));
  return permuteNode(new Node(op, below, [], below[0]?.shape ?? [], dtype), lead.attrs);
}

/** Keeps reduced axes with size 1. */
export function reduceNode(op: structural.ReduceOp, x: Node, axes: readonly number[], scale: number): Node {
  const reduced = axes.filter((a) => x.shape[a] !== 1);
  if (reduced.length === 0 && scale === 1) return x;
  if (isPermute(x)) {
    const source = axes.map((a) => x.attrs[a] ?? 0).sort((a, b) => a - b);
    return permuteNode(reduceNode(op, firstInput(x), source, scale), x.attrs);
  }
  return new Node(
    op,
    [x],
    [scale, ...reduced],
    x.shape.map((n, i) => (axes.includes(i) ? 1 : n)),
    x.dtype,
  );
}

/** Values an axis of a permuted node, in the order of the axes below it. */
const below = (x: Node, perAxis: readonly number[]): number[] => {
  const result = new Array<number>(perAxis.length).fill(0);
  x.attrs.forEach((source, axis) => (result[source] = perAxis[axis] ?? 0));
  return result;
};

/** Elements starts[a] + k·steps[a] of each axis. */
export function sliceNode(x: Node, starts: readonly number[], steps: readonly number[], shape: Shape): Node {
  if (isConstant(x)) return constantNode(x.attrs[0] ?? 0, shape, x.dtype);
  if (isPermute(x))
    return permuteNode(sliceNode(firstInput(x), below(x, starts), below(x, steps), below(x, shape)), x.attrs);
  return new Node(structural.slice, [x], [...starts, ...steps, ...shape], shape, x.dtype);
}

export function padNode(x: Node, before: readonly number[], after: readonly number[], value: number): Node {
  if (isPermute(x)) return permuteNode(padNode(firstInput(x), below(x, before), below(x, after), value), x.attrs);
  const shape = x.shape.map((n, i) => n + (before[i] ?? 0) + (after[i] ?? 0));
  return new Node(structural.pad, [x], [value, ...before.flatMap((b, i) => [b, after[i] ?? 0])], shape, x.dtype);
}

export function concatNode(inputs: readonly Node[], axis: number): Node {
  const [first] = inputs;
  if (first && isPermute(first) && inputs.every((n) => isPermute(n) && sameShape(n.attrs, first.attrs)))
    return permuteNode(concatNode(inputs.map(firstInput), first.attrs[axis] ?? 0), first.attrs);
  const length = inputs.reduce((n, x) => n + (x.shape[axis] ?? 0), 0);
  const shape = (first?.shape ?? []).map((n, i) => (i === axis ? length : n));
  return new Node(structural.concat, inputs, [axis], shape, first?.dtype ?? "f32");
}

/** [..., m, k] · [..., k, n], leading axes broadcast. */
export function matmulNode(op: KernelOp, a: Node, b: Node, bias: Node | null = null): Node {
  const [m, k] = a.shape.slice(-2);
  const [kb, n] = b.shape.slice(-2);
  if (m === undefined || k === undefined || n === undefined || k !== kb)
    throw new ShapeError(`matmul: [m, k]·[k, n] must share k, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`);
  for (const x of [a, b]) expectDType("matmul", x.dtype, ["f32"]);
  const dtype = promote("matmul", a.dtype, b.dtype);
  const batch = broadcastShapes("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2));
  const shape = [...batch, m, n];
  // an empty sum
  if (k === 0) return bias ? expandNode("matmul", bias, shape) : constantNode(0, shape, dtype);
  const left = expandNode("matmul", a, [...batch, m, k]);
  const right = expandNode("matmul", b, [...batch, k, n]);
  return new Node(op, bias ? [left, right, bias] : [left, right], [], shape, dtype);
}

export function detachNode(x: Node): Node {
  return new Node(structural.detach, [x], x.shape, x.shape, x.dtype);
}
