import { ShapeError } from "../base/errors.ts";
import { formatShape, type Shape } from "../base/shape.ts";
import type { Rng } from "../tensor/random.ts";
import { tensor } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Gives a parameter its first values. */
export type Initializer = (shape: Shape, rng: Rng) => Tensor;

/** Connections of a layer's weight. */
export interface Fans {
  /** Inputs that one output adds up. */
  readonly fanIn: number;
  /** Outputs that one input enters. */
  readonly fanOut: number;
}

/**
 * Inputs and outputs that one weight of [out, in, ...taps] connects, each times the taps.
 *
 * @throws ShapeError for fewer than two axes
 */
export function fans(shape: Shape): Fans {
  const [out = 0, inner = 0, ...taps] = shape;
  if (shape.length < 2) throw new ShapeError(`fans: the shape must have two axes or more, got ${formatShape(shape)}`);
  const field = taps.reduce((n, k) => n * k, 1);
  return { fanIn: inner * field, fanOut: out * field };
}

/** A nonlinearity with a known gain. */
export type Nonlinearity = "linear" | "sigmoid" | "tanh" | "relu" | "leaky-relu" | "selu";

/**
 * Factor that keeps the variance of a signal through a nonlinearity; PyTorch's `calculate_gain`.
 *
 * @param slope of the leaky ReLU below zero
 */
export function gainOf(nonlinearity: Nonlinearity, slope = 0.01): number {
  switch (nonlinearity) {
    case "linear":
    case "sigmoid":
      return 1;
    case "tanh":
      return 5 / 3;
    case "relu":
      return Math.SQRT2;
    case "leaky-relu":
      return Math.sqrt(2 / (1 + slope ** 2));
    case "selu":
      return 3 / 4;
  }
}

/** Uniform in [low, high). */
export const uniform =
  (low = 0, high = 1): Initializer =>
  (shape, rng) =>
    rng.uniform(shape, low, high);

/** Normal. */
export const normal =
  ({ mean = 0, std = 1 }: { mean?: number; std?: number } = {}): Initializer =>
  (shape, rng) =>
    rng.normal(shape).mul(std).add(mean);

/** Uniform in ±gain √(6 / (fanIn + fanOut)). @see Glorot & Bengio 2010 */
export const xavierUniform =
  (gain = 1): Initializer =>
  (shape, rng) => {
    const { fanIn, fanOut } = fans(shape);
    const bound = gain * Math.sqrt(6 / (fanIn + fanOut));
    return rng.uniform(shape, -bound, bound);
  };

/** Normal with deviation gain √(2 / (fanIn + fanOut)). @see Glorot & Bengio 2010 */
export const xavierNormal =
  (gain = 1): Initializer =>
  (shape, rng) => {
    const { fanIn, fanOut } = fans(shape);
    return rng.normal(shape).mul(gain * Math.sqrt(2 / (fanIn + fanOut)));
  };

/** What follows the layer, and which variance is kept. */
export interface KaimingOptions {
  /** Keep the variance of the signal ("in", the default) or of its gradient. */
  readonly fan?: "in" | "out";
  /** "leaky-relu" by default. */
  readonly nonlinearity?: Nonlinearity;
  /** Of the leaky ReLU below zero; 0 by default, which is a ReLU. */
  readonly slope?: number;
}

function kaimingDeviation(shape: Shape, options: KaimingOptions): number {
  const { fan = "in", nonlinearity = "leaky-relu", slope = 0 } = options;
  const { fanIn, fanOut } = fans(shape);
  return gainOf(nonlinearity, slope) / Math.sqrt(Math.max(1, fan === "in" ? fanIn : fanOut));
}

/** Uniform in ±√3 gain / √fan. @see He et al. 2015 */
export const kaimingUniform =
  (options: KaimingOptions = {}): Initializer =>
  (shape, rng) => {
    const bound = Math.sqrt(3) * kaimingDeviation(shape, options);
    return rng.uniform(shape, -bound, bound);
  };

/** Normal with deviation gain / √fan. @see He et al. 2015 */
export const kaimingNormal =
  (options: KaimingOptions = {}): Initializer =>
  (shape, rng) =>
    rng.normal(shape).mul(kaimingDeviation(shape, options));

/**
 * Normal with everything outside [low, high] drawn again: the inverse distribution function of uniform numbers between the bounds' shares.
 *
 * @param options.low bound in absolute numbers, as PyTorch's `trunc_normal_` has them, not in deviations
 */
export const truncatedNormal =
  ({ mean = 0, std = 1, low = -2, high = 2 } = {}): Initializer =>
  (shape, rng) => {
    const z = rng.truncatedNormal(shape, (low - mean) / std, (high - mean) / std);
    return z.mul(std).add(mean).clamp(low, high);
  };

/**
 * A matrix [rows, rest] with orthonormal rows, or columns where they are fewer, times `gain`; uniformly distributed among them. Computed on
 * the host, so the numbers are drawn at once.
 *
 * @throws ShapeError for fewer than two axes
 * @see Saxe et al. 2014
 */
export async function orthogonal(shape: Shape, rng: Rng, gain = 1): Promise<Tensor> {
  const [rows = 0, ...rest] = shape;
  if (shape.length < 2)
    throw new ShapeError(`orthogonal: the shape must have two axes or more, got ${formatShape(shape)}`);
  const columns = rest.reduce((n, k) => n * k, 1);
  const [count, length] = rows < columns ? [rows, columns] : [columns, rows];
  const drawn = await rng.normal([count, length]).data();
  const vectors: Float64Array[] = [];
  for (let i = 0; i < count; i++) {
    const v = Float64Array.from(drawn.subarray(i * length, (i + 1) * length));
    // Gram-Schmidt twice is orthogonal to the last digit (Giraud et al. 2005)
    for (let round = 0; round < 2; round++)
      for (const u of vectors) {
        const along = u.reduce((sum, x, k) => sum + x * (v[k] ?? 0), 0);
        u.forEach((x, k) => (v[k] = (v[k] ?? 0) - along * x));
      }
    const norm = Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
    vectors.push(v.map((x) => x / norm));
  }
  const values = new Float32Array(rows * columns);
  vectors.forEach((v, i) =>
    v.forEach((x, k) => {
      values[rows < columns ? i * columns + k : k * columns + i] = gain * x;
    }),
  );
  return tensor(values, { shape });
}
