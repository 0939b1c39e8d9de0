import { ShapeError } from "@omni/core";
import { timesTransposed } from "./times-transposed.ts";

/** Rows of numbers: one feature vector a sample. */
export interface Features {
  /** [samples, dim] */
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** What the Fréchet distance knows of a set of samples. */
export interface FeatureStatistics {
  readonly samples: number;
  /** [dim] */
  readonly mean: Float64Array;
  /** [dim, dim] in row-major order, divided by samples − 1. */
  readonly covariance: Float64Array;
}

/**
 * Mean and covariance of feature vectors that come in batches, in float64 (Chan et al. 1983: batches are merged by their means, so that
 * nothing cancels).
 */
export class FeatureAccumulator {
  readonly #dim: number;
  readonly #mean: Float64Array;
  /** Σ (x − mean)(x − mean)ᵀ, lower triangle. */
  readonly #scatter: Float64Array;
  #samples = 0;

  constructor(dim: number) {
    this.#dim = dim;
    this.#mean = new Float64Array(dim);
    this.#scatter = new Float64Array(dim * dim);
  }

  /** @throws ShapeError unless the batch is [samples, dim] */
  add({ shape, data }: Features): void {
    const dim = this.#dim;
    const [samples = 0, width = 0] = shape;
    if (shape.length !== 2 || width !== dim || data.length !== samples * dim)
      throw new ShapeError(
        `FeatureAccumulator: features must be [samples, ${dim}], got [${shape.join(", ")}] with ${data.length} numbers`,
      );
    if (samples === 0) return;
    const mean = new Float64Array(dim);
    for (let i = 0; i < samples; i++)
      for (let j = 0; j < dim; j++) mean[j] = (mean[j] ?? 0) + (data[i * dim + j] ?? NaN) / samples;
    const centred = new Float64Array(dim * samples);
    for (let i = 0; i < samples; i++)
      for (let j = 0; j < dim; j++) centred[j * samples + i] = (data[i * dim + j] ?? NaN) - (mean[j] ?? 0);
    const scatter = timesTransposed(centred, centred, [dim, dim, samples], { lower: true });
    scatter.forEach((value, k) => (this.#scatter[k] = (this.#scatter[k] ?? 0) + value));
    const apart = mean.map((m, j) => m - (this.#mean[j] ?? 0));
    const total = this.#samples + samples;
    this.#addOuter(apart, (this.#samples * samples) / total);
    apart.forEach((d, j) => (this.#mean[j] = (this.#mean[j] ?? 0) + (d * samples) / total));
    this.#samples = total;
  }

  /** @throws ShapeError below two samples, which have no covariance */
  statistics(): FeatureStatistics {
    const dim = this.#dim;
    if (this.#samples < 2)
      throw new ShapeError(`FeatureAccumulator: covariance needs at least 2 samples, got ${this.#samples}`);
    const covariance = new Float64Array(dim * dim);
    for (let i = 0; i < dim; i++)
      for (let j = 0; j <= i; j++) {
        const value = (this.#scatter[i * dim + j] ?? 0) / (this.#samples - 1);
        covariance[i * dim + j] = value;
        covariance[j * dim + i] = value;
      }
    return { samples: this.#samples, mean: this.#mean.slice(), covariance };
  }

  #addOuter(x: Float64Array, weight: number): void {
    if (weight === 0) return;
    const [dim, scatter] = [this.#dim, this.#scatter];
    for (let i = 0; i < dim; i++) {
      const factor = weight * (x[i] ?? 0);
      const row = i * dim;
      for (let j = 0; j <= i; j++) scatter[row + j] = (scatter[row + j] ?? 0) + factor * (x[j] ?? 0);
    }
  }
}

/** Mean and covariance of all rows. @throws ShapeError unless they are [samples ≥ 2, dim] */
export function featureStatistics(features: Features): FeatureStatistics {
  const all = new FeatureAccumulator(features.shape[1] ?? 0);
  all.add(features);
  return all.statistics();
}
