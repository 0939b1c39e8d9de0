import { concat, tensor } from "@omni/core";
import type { Tensor } from "@omni/core";

/** The free choices of sinusoidal timestep embeddings, with diffusers' names in brackets. */
export interface TimestepEmbeddingOptions {
  readonly dim: number;
  /** Cosines or sines first (`flip_sin_to_cos`). Default cosines. */
  readonly first?: "cos" | "sin";
  /** Taken off the number of frequencies in the exponent (`downscale_freq_shift`). Default 0. */
  readonly shift?: number;
  /** Slowest wavelength / 2π (`max_period`). Default 10,000. */
  readonly maxPeriod?: number;
}

/**
 * Sinusoidal embedding of timesteps: cos and sin of t · maxPeriod^(−i / (half − shift)); an odd last channel is 0.
 *
 * @param timesteps [N], such as 0 … 1000
 * @returns [N, dim]
 * @see Ho et al. 2020, "Denoising Diffusion Probabilistic Models"; diffusers' `get_timestep_embedding`
 */
export function timestepEmbedding(
  timesteps: Tensor,
  { dim, first = "cos", shift = 0, maxPeriod = 10_000 }: TimestepEmbeddingOptions,
): Tensor {
  const half = Math.floor(dim / 2);
  const turnsPerStep = Array.from({ length: half }, (_, i) => maxPeriod ** (-i / (half - shift)) / (2 * Math.PI));
  const angle = anglesOf(timesteps.cast("f32").unsqueeze(1), turnsPerStep);
  const waves = first === "cos" ? [angle.cos(), angle.sin()] : [angle.sin(), angle.cos()];
  const both = concat(waves, { axis: 1 });
  return dim % 2 === 0
    ? both
    : both.pad([
        [0, 0],
        [0, 1],
      ]);
}

/**
 * x · 2π · turns within [−π, π], outside of which WGSL promises no precision for sines. Whole steps times the turns' upper bits are exact in
 * f32, so that the fraction of a turn keeps its digits at the thousandth step too.
 */
function anglesOf(x: Tensor, turns: readonly number[]): Tensor {
  const upper = turns.map((turn) => Math.round(turn * 4096) / 4096);
  const column = (values: readonly number[]): Tensor => tensor(Float32Array.from(values));
  const whole = x.floor();
  const exact = whole.mul(column(upper));
  const rest = whole.mul(column(turns.map((turn, i) => turn - (upper[i] ?? 0)))).add(x.sub(whole).mul(column(turns)));
  const fraction = exact.sub(exact.floor()).add(rest);
  return fraction.sub(fraction.add(0.5).floor()).mul(2 * Math.PI);
}
