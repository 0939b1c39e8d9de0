import { ShapeError } from "../base/errors.ts";
import { broadcastShapes, formatShape, sizeOf, type Shape } from "../base/shape.ts";
import { expectDType } from "../tensor/build.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Rows and columns of square matrices [..., n, n]; their count of axes in front. @throws ShapeError unless they are square */
export function squareSize(op: string, x: Tensor): number {
  const [rows, columns] = x.shape.slice(-2);
  if (rows === undefined || rows !== columns)
    throw new ShapeError(`${op}: must be given square matrices [..., n, n], got ${formatShape(x.shape)}`);
  expectDType(op, x.dtype, ["f32"]);
  return rows;
}

/** Matrices and right-hand sides of one batch, each [batch, n, …], and the shape the solutions have. */
export interface System {
  readonly matrices: Tensor;
  readonly sides: Tensor;
  readonly shape: Shape;
}

/** @param b [..., n, k], or [n] for one column that all matrices share */
export function linearSystem(op: string, a: Tensor, b: Tensor): System {
  const n = squareSize(op, a);
  const columns = b.ndim === 1 ? b.unsqueeze(1) : b;
  if (b.ndim === 0 || columns.shape.at(-2) !== n)
    throw new ShapeError(`${op}: b must be [..., ${n}, k] or [${n}], got ${formatShape(b.shape)}`);
  expectDType(op, b.dtype, ["f32"]);
  const lead = broadcastShapes(op, a.shape.slice(0, -2), columns.shape.slice(0, -2));
  const k = columns.shape.at(-1) ?? 0;
  const batch = sizeOf(lead);
  return {
    matrices: a.expand([...lead, n, n]).reshape([batch, n, n]),
    sides: columns.expand([...lead, n, k]).reshape([batch, n, k]),
    shape: b.ndim === 1 ? [...lead, n] : [...lead, n, k],
  };
}
