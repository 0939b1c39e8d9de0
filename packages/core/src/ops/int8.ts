import { isFloat } from "../base/dtype.ts";
import { DTypeError, ShapeError } from "../base/errors.ts";
import { expectShape, formatShape, sizeOf } from "../base/shape.ts";
import { matmulProgram } from "../kernels/matmul.ts";
import { stack } from "../tensor/join.ts";
import { type Tensor, where } from "../tensor/tensor.ts";
import { defineOp, type OpInfo } from "./define-op.ts";

/** A matrix in whole numbers of −127 … 127, with a factor for each row: a quarter of the bytes of f32. */
export interface Int8Matrix {
  /** u32 [out, ⌈in / 4⌉]: four signed bytes to a word, the first lowest; what fills the last word up is 0. */
  readonly values: Tensor;
  /** f32 [out]; row o is scale[o] times its whole numbers. */
  readonly scale: Tensor;
}

const LARGEST = 127;
const BYTES = [0, 1, 2, 3] as const;

/**
 * The nearest matrix of 8-bit whole numbers, by rows: scale = max |row| / 127, values = round(row / scale). An element is off by at most half its
 * row's scale; a row of zeros stays zeros.
 *
 * @param weight [out, in]
 * @throws ShapeError unless it is a matrix
 */
export function quantizeInt8(weight: Tensor): Int8Matrix {
  const [out = 0, inner = 0] = weight.shape;
  if (weight.ndim !== 2 || inner === 0)
    throw new ShapeError(
      `quantizeInt8: weight must be [out, in] of at least one column, got ${formatShape(weight.shape)}`,
    );
  const wide = weight.cast("f32");
  const scale = wide.abs().max({ axis: 1, keepdim: true }).div(LARGEST);
  const whole = wide
    .div(where(scale.eq(0), 1, scale))
    .round()
    .clamp(-LARGEST, LARGEST)
    .cast("i32");
  const words = Math.ceil(inner / 4);
  const bytes = whole
    .pad([
      [0, 0],
      [0, words * 4 - inner],
    ])
    .reshape([out, words, 4]);
  const byte = (i: number): Tensor =>
    bytes
      .slice(2, i, i + 1)
      .reshape([out, words])
      .bitAnd(255)
      .cast("u32")
      .shiftLeft(8 * i);
  const values = byte(0).bitOr(byte(1)).bitOr(byte(2)).bitOr(byte(3));
  return { values, scale: scale.reshape([out]) };
}

/**
 * The matrix in f32, [out, inner].
 *
 * @throws ShapeError when there are not as many words as `inner` columns take
 */
export function dequantizeInt8({ values, scale }: Int8Matrix, inner: number): Tensor {
  const out = checked("dequantizeInt8", values, scale, inner);
  // up to the sign's place, and down again with it
  const bytes = BYTES.map((i) =>
    values
      .cast("i32")
      .shiftLeft(24 - 8 * i)
      .shiftRight(24),
  );
  const whole = stack(bytes, { axis: 2 })
    .reshape([out, values.size === 0 ? 0 : (values.shape[1] ?? 0) * 4])
    .slice(1, 0, inner);
  return whole.cast("f32").mul(scale.reshape([out, 1]));
}

function checked(op: string, values: OpInfo, scale: OpInfo, inner: number): number {
  const [out = 0] = values.shape;
  if (values.dtype !== "u32")
    throw new DTypeError(`${op}: values must be u32 words of four bytes, got ${values.dtype}`);
  expectShape(op, "values", values.shape, [out, Math.ceil(inner / 4)]);
  expectShape(op, "scale", scale.shape, [out]);
  return out;
}

/** [m, in]·[out, in]ᵀ (+ bias). */
const product = defineOp({
  name: "int8Linear",
  infer: ([x, values]) => ({ shape: [x?.shape[0] ?? 0, values?.shape[0] ?? 0], dtype: x?.dtype ?? "f32" }),
  compose: ([x, values, scale, bias]) => {
    if (!x || !values || !scale) throw new ShapeError("int8Linear: x, values and scale must be given");
    const y = x.matmul(dequantizeInt8({ values, scale }, x.shape[1] ?? 0).transpose());
    return (bias ? y.add(bias) : y).cast(x.dtype);
  },
  kernel: ([x, values, , bias], _, traits) => {
    const [m = 0, k = 0] = x?.shape ?? [];
    const [n = 0, words = 0] = values?.shape ?? [];
    const bytes = 4 * Math.max(m * k, m * n, n * words);
    if (m * n * k === 0 || bytes > traits.maxStorageBinding) return null;
    const whole = { offset: 0, batchStrides: [0, 0] } as const;
    return matmulProgram(
      {
        m,
        n,
        k,
        batch: [1, 1],
        a: { ...whole, rowStride: k, colStride: 1 },
        b: { ...whole, rowStride: 1, colStride: words * 4, stored: "int8" },
        scale: true,
        bias: bias !== undefined,
      },
      traits,
    );
  },
});

/**
 * Affine map of the last axis by a matrix of 8-bit whole numbers: y = x·Wᵀ + b. The product reads the bytes as they lie and sums in f32; it differs
 * from that with the dequantised matrix by rounding alone. Gradients reach x, the scale and the bias; the whole numbers have none.
 *
 * @param x [..., in], f32, f16 or bf16; the result is of its type
 * @param weight of `quantizeInt8`, [out, in]
 * @param bias [out]
 * @throws ShapeError when the inner sizes differ
 * @throws DTypeError when x is not of a floating type, or the values are no words
 */
export function int8Linear(x: Tensor, { values, scale }: Int8Matrix, bias?: Tensor | null): Tensor {
  const inner = x.shape.at(-1);
  if (inner === undefined) throw new ShapeError("int8Linear: x must be [..., in], got []");
  if (!isFloat(x.dtype)) throw new DTypeError(`int8Linear: x must be f32, f16 or bf16, got ${x.dtype}; cast it first`);
  const out = checked("int8Linear", values, scale, inner);
  if (bias) expectShape("int8Linear", "bias", bias.shape, [out]);
  const lead = x.shape.slice(0, -1);
  const y = product([x.reshape([sizeOf(lead), inner]), values, scale, ...(bias ? [bias] : [])]);
  return y.reshape([...lead, out]);
}
