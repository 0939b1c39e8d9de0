import { isFloat } from "../base/dtype.ts";
import { ShapeError } from "../base/errors.ts";
import { formatShape } from "../base/shape.ts";
import { tensor } from "../tensor/create.ts";
import { where, type Tensor } from "../tensor/tensor.ts";
import type { PerAxis } from "./conv-axes.ts";

/** The window's steps, for all axes or one an axis. */
export interface PoolOptions {
  /** The kernel's size by default. */
  readonly stride?: PerAxis;
  /** Elements around each axis that never win, or zeros where means are taken; at most half the kernel. 0 by default. */
  readonly padding?: PerAxis;
  /** Distance between the elements of a window; 1 by default. */
  readonly dilation?: PerAxis;
  /** Windows that begin inside the padded input but end outside of it count, too. */
  readonly ceilMode?: boolean;
}

/** A window that moves along one axis. */
interface Window {
  readonly axis: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
  readonly input: number;
  readonly output: number;
}

function windows(op: string, x: Tensor, rank: number, kernel: PerAxis, options: PoolOptions): Window[] {
  if (x.ndim !== rank + 2)
    throw new ShapeError(
      `${op}: x must be [B, C, ${"…".repeat(rank)}] of ${rank + 2} axes, got ${formatShape(x.shape)}`,
    );
  const pick = (value: PerAxis | undefined, i: number, otherwise: number): number =>
    (typeof value === "number" ? value : value?.[i]) ?? otherwise;
  return Array.from({ length: rank }, (_, i) => {
    const size = pick(kernel, i, 1);
    const stride = pick(options.stride, i, size);
    const padding = pick(options.padding, i, 0);
    const dilation = pick(options.dilation, i, 1);
    const input = x.shape[i + 2] ?? 0;
    if ([size, stride, dilation].some((n) => !Number.isInteger(n) || n < 1) || 2 * padding > size || padding < 0)
      throw new ShapeError(
        `${op}: kernel, stride and dilation must be at least 1 and padding at most half the kernel, got ${size}, ${stride}, ${dilation} and ${padding}`,
      );
    const room = input + 2 * padding - dilation * (size - 1) - 1;
    if (room < 0)
      throw new ShapeError(`${op}: the kernel ${size} must fit the padded axis ${i + 2} of ${input + 2 * padding}`);
    let output = (options.ceilMode ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
    // the last window must begin inside the input or its padding before
    if (options.ceilMode && (output - 1) * stride >= input + padding) output--;
    return { axis: i + 2, kernel: size, stride, padding, dilation, input, output };
  });
}

/** What each of a window's positions sees, all of the output's length. */
function taps(x: Tensor, w: Window, fill: number): Tensor[] {
  const reach = (w.output - 1) * w.stride + w.dilation * (w.kernel - 1) + 1;
  const after = Math.max(0, reach - w.input - w.padding);
  const padded = x.pad(
    x.shape.map((_, a): [number, number] => (a === w.axis ? [w.padding, after] : [0, 0])),
    fill,
  );
  return Array.from({ length: w.kernel }, (_, k) => {
    const start = k * w.dilation;
    return padded.slice(w.axis, start, start + (w.output - 1) * w.stride + 1, w.stride);
  });
}

/**
 * A window's maximum is the maximum over rows of the rows' maxima: one axis after another. Ties go to the first and NaN wins, as in PyTorch.
 */
function maxPool(op: string, rank: number, x: Tensor, kernel: PerAxis, options: PoolOptions): Tensor {
  const along = windows(op, x, rank, kernel, options);
  const larger = (best: Tensor, tap: Tensor): Tensor => {
    const wins = tap.gt(best);
    return where(isFloat(tap.dtype) ? wins.or(tap.isNan()) : wins, tap, best);
  };
  return along.reduceRight((t, w) => taps(t, w, -Infinity).reduce(larger), x);
}

/** `PoolOptions` without dilation, and what the padding counts. */
export interface AveragePoolOptions extends Omit<PoolOptions, "dilation"> {
  /** Zeros of the padding count as elements (true by default). */
  readonly countIncludePad?: boolean;
}

function averagePool(op: string, rank: number, x: Tensor, kernel: PerAxis, options: AveragePoolOptions): Tensor {
  const { countIncludePad = true } = options;
  return windows(op, x, rank, kernel, options).reduce((t, w) => {
    const sum = taps(t, w, 0).reduce((a, b) => a.add(b));
    const counts = Float32Array.from({ length: w.output }, (_, i) => {
      const start = i * w.stride - w.padding;
      const [low, high] = countIncludePad ? [-w.padding, w.input + w.padding] : [0, w.input];
      return 1 / (Math.min(start + w.kernel, high) - Math.max(start, low));
    });
    if (counts.every((c) => c === counts[0])) return sum.mul(counts[0] ?? 1);
    return sum.mul(tensor(counts, { shape: t.shape.slice(w.axis).map((_, i) => (i === 0 ? w.output : 1)) }));
  }, x);
}

/**
 * The largest element of each window over [B, C, L]. Of equal ones the first takes the gradient; NaN wins, as in PyTorch.
 *
 * @param kernel k
 * @throws ShapeError when the kernel does not fit the padded input
 */
export const maxPool1d = (x: Tensor, kernel: PerAxis, options: PoolOptions = {}): Tensor =>
  maxPool("maxPool1d", 1, x, kernel, options);
/**
 * The largest element of each window over [B, C, H, W]. Of equal ones the first takes the gradient; NaN wins, as in PyTorch.
 *
 * @param kernel one size for all axes, or [kh, kw]
 * @throws ShapeError when the kernel does not fit the padded input
 */
export const maxPool2d = (x: Tensor, kernel: PerAxis, options: PoolOptions = {}): Tensor =>
  maxPool("maxPool2d", 2, x, kernel, options);
/**
 * The largest element of each window over [B, C, T, H, W]. Of equal ones the first takes the gradient; NaN wins, as in PyTorch.
 *
 * @param kernel one size for all axes, or [kt, kh, kw]
 * @throws ShapeError when the kernel does not fit the padded input
 */
export const maxPool3d = (x: Tensor, kernel: PerAxis, options: PoolOptions = {}): Tensor =>
  maxPool("maxPool3d", 3, x, kernel, options);
/**
 * The mean of each window over [B, C, L]; PyTorch's `avg_pool1d`.
 *
 * @param kernel k
 * @throws ShapeError when the kernel does not fit the padded input
 */
export const averagePool1d = (x: Tensor, kernel: PerAxis, options: AveragePoolOptions = {}): Tensor =>
  averagePool("averagePool1d", 1, x, kernel, options);
/**
 * The mean of each window over [B, C, H, W]; PyTorch's `avg_pool2d`.
 *
 * @param kernel one size for all axes, or [kh, kw]
 * @throws ShapeError when the kernel does not fit the padded input
 */
export const averagePool2d = (x: Tensor, kernel: PerAxis, options: AveragePoolOptions = {}): Tensor =>
  averagePool("averagePool2d", 2, x, kernel, options);
/**
 * The mean of each window over [B, C, T, H, W]; PyTorch's `avg_pool3d`.
 *
 * @param kernel one size for all axes, or [kt, kh, kw]
 * @throws ShapeError when the kernel does not fit the padded input
 */
export const averagePool3d = (x: Tensor, kernel: PerAxis, options: AveragePoolOptions = {}): Tensor =>
  averagePool("averagePool3d", 3, x, kernel, options);

/**
 * Means over windows of nearly equal size, as many as asked for: window i of an axis of n spans ⌊i·n/m⌋ to ⌈(i + 1)·n/m⌉.
 *
 * @param size one length an axis behind [B, C]
 */
export function adaptiveAveragePool(x: Tensor, size: readonly number[]): Tensor {
  if (x.ndim !== size.length + 2)
    throw new ShapeError(
      `adaptiveAveragePool: size must name each axis behind [B, C], got ${formatShape(size)} for ${formatShape(x.shape)}`,
    );
  return size.reduce((t, m, i) => {
    const n = t.shape[i + 2] ?? 0;
    const weights = Float32Array.from({ length: n * m }, (_, at) => {
      const [column, row] = [at % m, Math.floor(at / m)];
      const [start, end] = [Math.floor((column * n) / m), Math.ceil(((column + 1) * n) / m)];
      return row >= start && row < end ? 1 / (end - start) : 0;
    });
    return t
      .transpose(i + 2, -1)
      .matmul(tensor(weights, { shape: [n, m] }))
      .transpose(i + 2, -1);
  }, x);
}
