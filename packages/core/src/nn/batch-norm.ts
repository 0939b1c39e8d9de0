import { ShapeError } from "../base/errors.ts";
import { formatShape } from "../base/shape.ts";
import { batchNorm, batchStatistics } from "../ops/norm.ts";
import { ones, zeros } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { buffer, Module } from "./module.ts";

/** What `BatchNorm` learns and remembers. */
export interface BatchNormOptions {
  /** Added to the variance; 1e-5 by default. */
  readonly eps?: number;
  /** Share of a new batch in the running statistics; null averages all batches alike. */
  readonly momentum?: number | null;
  /** Have a weight and a bias (true by default). */
  readonly affine?: boolean;
  /** Keep running statistics; without them evaluation uses the batch's own. */
  readonly trackRunningStats?: boolean;
}

interface Running {
  readonly mean: Tensor;
  readonly variance: Tensor;
  readonly batches: Tensor;
}

/**
 * Normalises each channel of [B, C, ...]: in training with the batch's mean and variance, in evaluation with running ones.
 *
 * running ← (1 − momentum) running + momentum batch, with the batch's variance divided by n − 1
 *
 * The running statistics are written when `updates()` is realised, not by `forward`.
 *
 * @see Ioffe & Szegedy 2015; PyTorch's BatchNorm1d, 2d and 3d, of which it has the names
 */
export class BatchNorm extends Module {
  /** [C], ones at first; null unless `affine`. */
  readonly weight: Tensor | null;
  /** [C], zeros at first; null unless `affine`. */
  readonly bias: Tensor | null;
  // snake case: field names are the checkpoint's
  /** [C], a buffer; null where no statistics are kept. */
  readonly running_mean: Tensor | null;
  /** [C], a buffer; null where no statistics are kept. */
  readonly running_var: Tensor | null;
  /** A scalar, i32, a buffer; null where no statistics are kept. */
  readonly num_batches_tracked: Tensor | null;
  readonly #eps: number;
  readonly #momentum: number | null;
  /** What the forward passes since the last `updates` make of the running statistics. */
  #pending: Running | null = null;

  constructor(channels: number, options: BatchNormOptions = {}) {
    super();
    const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true } = options;
    this.weight = affine ? ones([channels]) : null;
    this.bias = affine ? zeros([channels]) : null;
    this.running_mean = trackRunningStats ? buffer(zeros([channels])) : null;
    this.running_var = trackRunningStats ? buffer(ones([channels])) : null;
    this.num_batches_tracked = trackRunningStats ? buffer(zeros([], "i32")) : null;
    this.#eps = eps;
    this.#momentum = momentum;
  }

  /** @throws ShapeError in training with one value a channel, which has no variance */
  forward(x: Tensor): Tensor {
    const { running_mean: mean, running_var: variance } = this;
    if (!this.training && mean && variance)
      return batchNorm(x, { mean, variance }, this.weight, this.bias, { eps: this.#eps });
    const count = x.size / Math.max(1, x.shape[1] ?? 1);
    if (this.training && count <= 1)
      throw new ShapeError(
        `BatchNorm: training needs more than one value a channel, got ${formatShape(x.shape)}; use eval() for single ones`,
      );
    const statistics = batchStatistics(x);
    if (this.training) this.#follow(statistics.mean.detach(), statistics.variance.detach().mul(count / (count - 1)));
    return batchNorm(x, statistics, this.weight, this.bias, { eps: this.#eps });
  }

  #follow(mean: Tensor, variance: Tensor): void {
    const before = this.#pending ?? this.#running();
    if (!before) return;
    const batches = before.batches.add(1);
    const share = this.#momentum ?? batches.cast("f32").reciprocal();
    this.#pending = {
      mean: before.mean.add(mean.sub(before.mean).mul(share)),
      variance: before.variance.add(variance.sub(before.variance).mul(share)),
      batches,
    };
  }

  #running(): Running | null {
    const { running_mean: mean, running_var: variance, num_batches_tracked: batches } = this;
    return mean && variance && batches ? { mean, variance, batches } : null;
  }

  protected override ownUpdates(): Tensor[] {
    const [pending, running] = [this.#pending, this.#running()];
    this.#pending = null;
    if (!pending || !running) return [];
    return [
      running.mean.assign(pending.mean),
      running.variance.assign(pending.variance),
      running.batches.assign(pending.batches),
    ];
  }
}
