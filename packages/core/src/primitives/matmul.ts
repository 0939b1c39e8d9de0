import type { DType } from "../base/dtype.ts";
import { sizeOf } from "../base/shape.ts";
import type { View } from "../base/view.ts";
import { collapse, isContiguous } from "../base/view.ts";
import { canFinish, matmulProgram } from "../kernels/matmul.ts";
import type { MatmulSpec, Operand } from "../kernels/matmul-spec.ts";
import type { Stored } from "../kernels/snippets/stored.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { nextOpId, type KernelInput, type KernelOp } from "./op.ts";

/** Leading axes as two, with the view's stride of each. */
function batchOf(view: View): { dims: [number, number]; strides: [number, number] } | null {
  const shape = view.shape.slice(0, -2);
  const strides = view.strides.slice(0, -2);
  if (shape.length <= 2) {
    const [b1 = 1, b0 = 1] = [...shape].reverse();
    const [s1 = 0, s0 = 0] = [...strides].reverse();
    return { dims: [b0, b1], strides: [b0 === 1 ? 0 : s0, b1 === 1 ? 0 : s1] };
  }
  const { dims, strides: merged } = collapse({ shape, strides, offset: 0 });
  if (dims.length > 1) return null;
  return { dims: [1, sizeOf(shape)], strides: [0, merged[0] ?? 0] };
}

function operandOf(view: View): Operand | null {
  const batch = batchOf(view);
  const [rows = 1, columns = 1] = view.shape.slice(-2);
  const [rowStride = 0, columnStride = 0] = view.strides.slice(-2);
  if (!batch) return null;
  const base = { offset: view.offset, batchStrides: batch.strides };
  if (columnStride === 1 || columns === 1)
    return { ...base, rowStride: rows === 1 ? columns : rowStride, colStride: 1 };
  if (rowStride === 1 || rows === 1) return { ...base, rowStride: 1, colStride: columnStride };
  return null;
}

const storedAs = (dtype: DType): Stored => (dtype === "f16" || dtype === "bf16" ? dtype : "f32");

const swapsLastTwo = (t: Tensor): boolean => {
  const { op, attrs } = t.node;
  const n = attrs.length;
  return op?.name === "permute" && attrs[n - 1] === n - 2 && attrs[n - 2] === n - 1;
};

function specOf([a, b, bias]: readonly KernelInput[]): MatmulSpec {
  const left = a && operandOf(a);
  const right = b && operandOf(b);
  if (!left || !right) throw new Error("matmul: operands must be strided matrices");
  const [m = 0, k = 0] = a.shape.slice(-2);
  return {
    m,
    n: b.shape.at(-1) ?? 0,
    k,
    batch: batchOf(a)?.dims ?? [1, 1],
    a: { ...left, stored: storedAs(a.dtype) },
    b: { ...right, stored: storedAs(b.dtype) },
    bias: bias !== undefined,
  };
}

/** C = A·B (+ bias). Inputs: A [..., m, k], B [..., k, n] of equal leading axes, bias [n] or none. */
export const matmul: KernelOp = {
  id: nextOpId(),
  name: "matmul",
  kind: "kernel",
  outputs: ([a, b]) => [{ shape: [...(a?.shape.slice(0, -1) ?? []), b?.shape.at(-1) ?? 0], dtype: "f32" }],
  packed: [0, 1],
  flops: ([a, b]) => 2 * sizeOf(a?.shape ?? []) * (b?.shape.at(-1) ?? 0),
  accepts: (view, index) => (index === 2 ? isContiguous(view) && view.offset === 0 : operandOf(view) !== null),
  program: (inputs, _, traits) => matmulProgram(specOf(inputs), traits),
  finished: (inputs, _, traits, epilogue) => {
    const spec = specOf(inputs);
    return canFinish(spec, traits) ? matmulProgram({ ...spec, epilogue }, traits) : null;
  },
  vjp: (dy, [a, b, bias]) => {
    if (!a || !b) return [];
    const da = swapsLastTwo(a) ? b.matmul(dy.transpose()).transpose() : dy.matmul(b.transpose());
    const db = swapsLastTwo(b) ? dy.transpose().matmul(a).transpose() : a.transpose().matmul(dy);
    if (!bias) return [da, db];
    return [da, db, dy.sum({ axis: dy.shape.slice(0, -1).map((_, i) => i) })];
  },
};
