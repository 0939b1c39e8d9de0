import { betaQuantile } from "./beta-quantile.ts";

/**
 * How the times between the first and the last lie. "karras": ρ-th roots evenly spaced, ρ = 7 (Karras et al. 2022, eq. 5).
 * "exponential": logarithms evenly spaced. "beta": quantiles of Beta(0.6, 0.6), dense at both ends (Lee et al. 2024).
 */
export type Respacing = "karras" | "exponential" | "beta";

const RHO = 7;
const BETA = 0.6;

/**
 * Places the times between their ends anew; both ends stay.
 *
 * @param times falling, above 0
 * @returns as many times
 * @see diffusers, FlowMatchEulerDiscreteScheduler (use_karras_sigmas, use_exponential_sigmas, use_beta_sigmas)
 */
export function respaced(times: readonly number[], respacing: Respacing): number[] {
  const count = times.length;
  const [first = 1, last = first] = [times[0], times.at(-1)];
  return Array.from({ length: count }, (_, i) => {
    const share = count > 1 ? i / (count - 1) : 0;
    switch (respacing) {
      case "karras": {
        const [a, b] = [first ** (1 / RHO), last ** (1 / RHO)];
        return (a + share * (b - a)) ** RHO;
      }
      case "exponential":
        return Math.exp(Math.log(first) + share * (Math.log(last) - Math.log(first)));
      case "beta":
        return last + betaQuantile(1 - share, BETA, BETA) * (first - last);
    }
  });
}
