import { ShapeError } from "@omni/core";
import type { Tensor } from "@omni/core";
import type { LatentStatistics } from "./model.ts";

/**
 * Gathers mean and standard deviation of each latent channel over many batches, which then normalise the latents:
 * `vae.setLatentStatistics(collector.finish())`.
 */
export class LatentStatisticsCollector {
  #count = 0;
  #mean: Float64Array | null = null;
  /** Sum of squared distances from the mean, by channel. */
  #spread = new Float64Array(0);

  /**
   * Adds a batch of raw latents (`encodeMoments(video).mean`).
   *
   * @param latents [B, C, T, h, w]
   */
  async add(latents: Tensor): Promise<void> {
    const [batch = 1, channels = 1, ...grid] = latents.shape;
    const mean = (this.#mean ??= new Float64Array(channels));
    if (this.#spread.length !== mean.length) this.#spread = new Float64Array(channels);
    if (mean.length !== channels) {
      throw new ShapeError(`latent statistics: latents must have ${mean.length} channels, got ${channels}`);
    }
    const cells = grid.reduce((n, size) => n * size, 1);
    const values = await latents.data();
    // Welford's update: no cancellation, however far the mean is from zero
    for (let b = 0; b < batch; b++) {
      for (let c = 0; c < channels; c++) {
        const start = (b * channels + c) * cells;
        let m = mean[c] ?? 0;
        let spread = this.#spread[c] ?? 0;
        for (let i = 0; i < cells; i++) {
          const distance = (values[start + i] ?? 0) - m;
          m += distance / (this.#count + b * cells + i + 1);
          spread += distance * ((values[start + i] ?? 0) - m);
        }
        mean[c] = m;
        this.#spread[c] = spread;
      }
    }
    this.#count += batch * cells;
  }

  /** @throws RangeError before the first batch */
  finish(): LatentStatistics {
    if (!this.#mean || this.#count === 0) throw new RangeError("latent statistics: add at least one batch first");
    // a dead channel must not divide by zero
    const std = Array.from(this.#spread, (spread) => Math.max(Math.sqrt(spread / this.#count), 1e-6));
    return { mean: [...this.#mean], std };
  }
}
