import { sizeOf } from "../base/shape.ts";
import { zeros } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { input, output } from "../kernels/kernel.ts";
import { simpleLaunch } from "../primitives/simple-kernel.ts";
import { defineOp } from "./define-op.ts";
import { tril, triu } from "./indexing.ts";
import { linearSystem, squareSize } from "./matrix.ts";
import { matrixLaunch, NAN } from "./matrix-kernel.ts";

type Triangle = { readonly upper: number; readonly unit: number };

/** x of T·x = b, [batch, n, n] and [batch, n, k]; a column each invocation. */
const substituted: (inputs: readonly Tensor[], attrs: Triangle) => Tensor = defineOp<Triangle>({
  name: "solveTriangular",
  attrs: { upper: 0, unit: 0 },
  infer: ([, b]) => ({ shape: b?.shape ?? [], dtype: "f32" }),
  kernel: ([, b], { upper, unit }) => {
    const [batch = 0, n = 0, k = 0] = b?.shape ?? [];
    const launch = simpleLaunch({
      label: "solveTriangular",
      bindings: [
        { name: "a", type: "f32", binding: input(0) },
        { name: "b", type: "f32", binding: input(1) },
        { name: "x", type: "f32", binding: output(0) },
      ],
      uniforms: { n, k, upper, unit },
      count: batch * k,
      body: /* wgsl */ `let at = g / k * n * n;
    let first = g / k * n * k + g % k;
    for (var step = 0u; step < n; step++) {
      let i = select(step, n - 1u - step, upper == 1u);
      var sum = b[first + i * k];
      for (var s = 0u; s < step; s++) {
        let j = select(s, n - 1u - s, upper == 1u);
        sum = fma(-a[at + i * n + j], x[first + j * k], sum);
      }
      x[first + i * k] = select(sum / a[at + i * n + i], sum, unit == 1u);
    }`,
    });
    return { launches: [launch], scratch: [] };
  },
  // db = T⁻ᵀ·dx, dT = −db·xᵀ where T is read
  vjp: (dx, [a], x, { upper, unit }) => {
    if (!a) return [];
    const db = substituted([a.transpose(), dx], { upper: 1 - upper, unit });
    const dense = db.matmul(x.transpose()).neg();
    return [upper === 1 ? triu(dense, unit) : tril(dense, -unit), db];
  },
});

/**
 * The x with T·x = b for triangular T, by substitution. The other triangle is not read, nor the diagonal if `unitDiagonal`, which takes it for
 * ones. Matrices and right-hand sides broadcast over the axes in front.
 *
 * @param t f32 [..., n, n], lower unless `upper`
 * @param b f32 [..., n, k], or [n]
 * @returns [..., n, k], or [..., n] for b [n]; infinite or NaN where the diagonal holds a zero
 * @throws ShapeError when the sizes disagree
 * @see torch.linalg.solve_triangular
 */
export function solveTriangular(
  t: Tensor,
  b: Tensor,
  { upper = false, unitDiagonal = false }: { upper?: boolean; unitDiagonal?: boolean } = {},
): Tensor {
  const { matrices, sides, shape } = linearSystem("solveTriangular", t, b);
  if (sizeOf(shape) === 0) return zeros(shape);
  return substituted([matrices, sides], { upper: Number(upper), unit: Number(unitDiagonal) }).reshape(shape);
}

/** L of A = L·Lᵀ, [batch, n, n]; column by column, each from those before it. */
const factor: (inputs: readonly Tensor[]) => Tensor = defineOp({
  name: "cholesky",
  infer: ([a]) => ({ shape: a?.shape ?? [], dtype: "f32" }),
  kernel: ([a], _, traits) => {
    const [count = 0, n = 0] = a?.shape ?? [];
    const launch = matrixLaunch(
      {
        label: "cholesky",
        count,
        n,
        buffers: [
          { name: "a", binding: input(0) },
          { name: "l", binding: output(0) },
        ],
        body: /* wgsl */ `for (var j = 0u; j < n; j++) {
    var square = a[at + j * n + j];
    for (var k = 0u; k < j; k++) { square = fma(-l[at + j * n + k], l[at + j * n + k], square); }
    let root = select(${NAN}, sqrt(square), square > 0.0);
    for (var i = lane; i < n; i += LANES) {
      var sum = a[at + i * n + j];
      for (var k = 0u; k < j; k++) { sum = fma(-l[at + i * n + k], l[at + j * n + k], sum); }
      l[at + i * n + j] = select(select(sum / root, root, i == j), 0.0, i < j);
    }
    storageBarrier();
  }`,
      },
      traits,
    );
    return { launches: [launch], scratch: [] };
  },
  // dA = ½ (S + Sᵀ), S = L⁻ᵀ·Φ(Lᵀ·dL)·L⁻¹, where Φ takes the lower triangle and half the diagonal
  vjp: (dl, [a], l) => {
    if (!a) return [];
    const inner = l.transpose().matmul(tril(dl));
    const phi = tril(inner).add(tril(inner, -1)).mul(0.5);
    const upper = l.transpose();
    const left = substituted([upper, phi], { upper: 1, unit: 0 });
    const s = substituted([upper, left.transpose()], { upper: 1, unit: 0 });
    return [s.add(s.transpose()).mul(0.5)];
  },
});

/**
 * The lower triangular L with A = L·Lᵀ of symmetric positive definite matrices, of which the lower triangle is read. One workgroup takes a
 * matrix: fast up to about 100 rows, right for any number.
 *
 * @param a f32 [..., n, n]
 * @returns [..., n, n]; NaN from the first column on at which a matrix is not positive definite
 * @see torch.linalg.cholesky, which raises an error there
 */
export function cholesky(a: Tensor): Tensor {
  const n = squareSize("cholesky", a);
  if (a.size === 0) return a;
  return factor([a.reshape([sizeOf(a.shape) / (n * n), n, n])]).reshape(a.shape);
}
