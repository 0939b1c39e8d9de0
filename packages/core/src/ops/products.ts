import { ShapeError } from "../base/errors.ts";
import { broadcastShapes, formatShape, normalizeAxis } from "../base/shape.ts";
import { stack } from "../tensor/join.ts";
import { type Tensor, where } from "../tensor/tensor.ts";
import { eye } from "./movement.ts";

function expectVectors(op: string, ...vectors: Tensor[]): void {
  if (vectors.some((v) => v.ndim !== 1))
    throw new ShapeError(`${op}: must be given vectors, got ${vectors.map((v) => formatShape(v.shape)).join(" and ")}`);
}

/** a_i·b_j of vectors [n] and [m]: [n, m]. */
export function outer(a: Tensor, b: Tensor): Tensor {
  expectVectors("outer", a, b);
  return a.unsqueeze(1).mul(b);
}

/** Σ a_i·b_i of vectors of one length. */
export function dot(a: Tensor, b: Tensor): Tensor {
  expectVectors("dot", a, b);
  if (a.size !== b.size)
    throw new ShapeError(`dot: vectors must share a length, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`);
  return a.mul(b).sum();
}

/** The Kronecker product: each element of a times all of b, axis by axis; fewer axes are filled up with ones in front. */
export function kron(a: Tensor, b: Tensor): Tensor {
  const ndim = Math.max(a.ndim, b.ndim);
  const filled = (x: Tensor): number[] => [...new Array<number>(ndim - x.ndim).fill(1), ...x.shape];
  const [ofA, ofB] = [filled(a), filled(b)];
  return a
    .reshape(ofA.flatMap((n) => [n, 1]))
    .mul(b.reshape(ofB.flatMap((n) => [1, n])))
    .reshape(ofA.map((n, i) => n * (ofB[i] ?? 1)));
}

/** The vector product along an axis of size 3; the others broadcast. @throws ShapeError for an axis of another size */
export function cross(a: Tensor, b: Tensor, { axis = -1 }: { axis?: number } = {}): Tensor {
  const shape = broadcastShapes("cross", a.shape, b.shape);
  const at = normalizeAxis("cross", axis, shape.length);
  if (shape[at] !== 3) throw new ShapeError(`cross: axis ${axis} must have size 3, got ${formatShape(shape)}`);
  const part = (x: Tensor, i: number): Tensor =>
    x
      .expand(shape)
      .slice(at, i, i + 1)
      .squeeze(at);
  const turned = (i: number, j: number): Tensor =>
    part(a, i)
      .mul(part(b, j))
      .sub(part(a, j).mul(part(b, i)));
  return stack([turned(1, 2), turned(2, 0), turned(0, 1)], { axis: at });
}

/** Square matrices with the last axis on a diagonal and zeros elsewhere: [..., n] → [..., n + |offset|, n + |offset|]. */
export function diagEmbed(x: Tensor, offset = 0): Tensor {
  const n = x.shape.at(-1);
  if (n === undefined) throw new ShapeError("diagEmbed: x must have an axis, got []");
  const [above, below] = [Math.max(0, offset), Math.max(0, -offset)];
  const square = where(eye(n).cast("bool"), x.unsqueeze(-1), 0);
  return square.pad([...x.shape.slice(0, -1).map((): [number, number] => [0, 0]), [below, above], [above, below]]);
}
