import { sizeOf } from "../base/shape.ts";
import { zeros } from "../tensor/create.ts";
import { full, type Tensor } from "../tensor/tensor.ts";
import { defineOp } from "./define-op.ts";
import { determinantProgram, solveProgram } from "./lu.ts";
import { linearSystem, squareSize } from "./matrix.ts";
import { eye } from "./movement.ts";

/** x of A·x = b, [batch, n, n] and [batch, n, k]. */
const solved: (inputs: readonly Tensor[]) => Tensor = defineOp({
  name: "solve",
  infer: ([, b]) => ({ shape: b?.shape ?? [], dtype: "f32" }),
  kernel: ([, b], _, traits) => {
    const [batch = 0, n = 0, k = 0] = b?.shape ?? [];
    return solveProgram(batch, n, k, traits);
  },
  // db = A⁻ᵀ·dx, dA = −db·xᵀ
  vjp: (dx, [a], x) => {
    if (!a) return [];
    const db = solved([a.transpose(), dx]);
    return [db.matmul(x.transpose()).neg(), db];
  },
});

/**
 * The x with A·x = b, by elimination with row exchanges. Matrices and right-hand sides broadcast over the axes in front. One workgroup takes a
 * matrix: fast up to about 100 rows, right for any number.
 *
 * @param a f32 [..., n, n]
 * @param b f32 [..., n, k], or [n]
 * @returns [..., n, k], or [..., n] for b [n]; NaN where a matrix is singular
 * @throws ShapeError when the sizes disagree
 * @see torch.linalg.solve, which raises an error for singular matrices
 */
export function solve(a: Tensor, b: Tensor): Tensor {
  const { matrices, sides, shape } = linearSystem("solve", a, b);
  return sizeOf(shape) === 0 ? zeros(shape) : solved([matrices, sides]).reshape(shape);
}

/**
 * A⁻¹ of each matrix: what `solve` gives for the identity. To multiply by it, `solve` is faster and more accurate.
 *
 * @param a f32 [..., n, n]
 * @returns [..., n, n]; NaN where a matrix is singular
 * @see torch.linalg.inv
 */
export const inverse = (a: Tensor): Tensor => solve(a, eye(squareSize("inverse", a)));

/** Sign, log |det| and det of matrices [batch, n, n]: [batch, 3]. */
const determinants = defineOp({
  name: "determinant",
  infer: ([a]) => ({ shape: [a?.shape[0] ?? 0, 3], dtype: "f32" }),
  kernel: ([a], _, traits) => determinantProgram(a?.shape[0] ?? 0, a?.shape[1] ?? 0, traits),
  // d log |det| = A⁻ᵀ
  vjp: (dy, [a], y) => {
    if (!a) return [];
    const slope = dy.slice(1, 1, 2).add(dy.slice(1, 2).mul(y.slice(1, 2)));
    return [inverse(a.transpose()).mul(slope.unsqueeze(2))];
  },
});

/** One column of the determinants, shaped as the batch; of no rows it is that of an empty product. */
function determinantPart(op: string, a: Tensor, part: number, empty: number): Tensor {
  const n = squareSize(op, a);
  const lead = a.shape.slice(0, -2);
  if (a.size === 0) return full(lead, empty);
  return determinants([a.reshape([sizeOf(lead), n, n])])
    .slice(1, part, part + 1)
    .reshape(lead);
}

/**
 * The determinant of each matrix, [..., n, n] → [...]. Its gradient is det·A⁻ᵀ, and NaN where a matrix is singular.
 *
 * @see torch.linalg.det
 */
export const det = (a: Tensor): Tensor => determinantPart("det", a, 2, 1);

/** Determinants as sign and size. */
export interface SignedLogDet {
  /** −1, 0 or 1 of each matrix. */
  readonly sign: Tensor;
  /** log |det|; −∞ of a singular matrix. */
  readonly logAbs: Tensor;
}

/**
 * Sign and logarithm of the size of each determinant, which neither overflow nor vanish: 0 and −∞ for singular matrices. The gradient of the
 * logarithm is A⁻ᵀ; the sign has none.
 *
 * @see torch.linalg.slogdet
 */
export function slogdet(a: Tensor): SignedLogDet {
  return {
    sign: determinantPart("slogdet", a, 0, 1).detach(),
    logAbs: determinantPart("slogdet", a, 1, 0),
  };
}
