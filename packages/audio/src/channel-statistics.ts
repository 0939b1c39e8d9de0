/** Mean and variance of each channel of the first convolution over a whole sound. */
export interface ChannelStatistics {
  /** [channels] */
  readonly mean: Float32Array<ArrayBuffer>;
  /** [channels], the squared deviation's mean */
  readonly variance: Float32Array<ArrayBuffer>;
}

/** The first convolution, as the statistics need it. */
export interface FirstConvolution {
  /** [channels, 1, kernel], row-major. */
  readonly weight: ArrayLike<number>;
  /** [channels], or null. */
  readonly bias: ArrayLike<number> | null;
  readonly kernel: number;
  readonly stride: number;
}

/**
 * What GroupNorm with a group a channel would measure after the first convolution, without convolving: with μ and Σ the mean and covariance
 * of the waveform's windows, channel c has mean w_c·μ + b_c and variance w_cᵀ Σ w_c. One pass over the sound, in float64, on the host.
 *
 * @param waveform normalised, at least as long as the kernel
 */
export function channelStatistics(
  waveform: Float32Array,
  { weight, bias, kernel, stride }: FirstConvolution,
): ChannelStatistics {
  const windows = Math.floor((waveform.length - kernel) / stride) + 1;
  const sums = new Float64Array(kernel);
  const products = new Float64Array(kernel * kernel);
  for (let step = 0; step < windows; step++) {
    const at = step * stride;
    for (let i = 0; i < kernel; i++) {
      const x = waveform[at + i] ?? 0;
      sums[i] = (sums[i] ?? 0) + x;
      for (let j = i; j < kernel; j++) {
        const p = i * kernel + j;
        products[p] = (products[p] ?? 0) + x * (waveform[at + j] ?? 0);
      }
    }
  }
  const mu = sums.map((sum) => sum / windows);
  const covariance = (i: number, j: number): number =>
    (products[Math.min(i, j) * kernel + Math.max(i, j)] ?? 0) / windows - (mu[i] ?? 0) * (mu[j] ?? 0);
  const channels = weight.length / kernel;
  const mean = new Float32Array(channels);
  const variance = new Float32Array(channels);
  for (let c = 0; c < channels; c++) {
    const w = (i: number): number => weight[c * kernel + i] ?? 0;
    let m = bias?.[c] ?? 0;
    let v = 0;
    for (let i = 0; i < kernel; i++) {
      m += w(i) * (mu[i] ?? 0);
      for (let j = 0; j < kernel; j++) v += w(i) * w(j) * covariance(i, j);
    }
    mean[c] = m;
    // rounding may leave a silent channel a little below 0
    variance[c] = Math.max(0, v);
  }
  return { mean, variance };
}
