import { tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import type { DitInputs } from "./inputs.ts";

/** What the velocity is before the network has its say, and the spread that is left to it. */
export interface Prior {
  /** Expected velocity, [B, C, T, h, w]. */
  readonly mean: Tensor;
  /** Standard deviation of the velocity around it, [B, C, 1, 1, 1]. */
  readonly deviation: Tensor;
}

/**
 * Velocity expected from x_t when the clean latents are normal around the reference picture, x_0 ~ N(m, s²) by channel, or around
 * zero with unit variance where there is no reference.
 *
 * With r = x_t − (1 − t) m and D = (1 − t)² s² + t²:
 *
 * E[v | x_t] = (t − (1 − t) s²) r / D − m,   Var[v | x_t] = s² / D
 *
 * The network answers in units of that deviation around that mean, so that a fresh one shows the reference standing still and has only motion to
 * learn. The guided difference of two branches is free of it.
 *
 * @param variances s² of video latents around their reference, [C]
 * @see Karras et al. 2022, "Elucidating the Design Space", section 5 (preconditioning)
 */
export function referencePrior(
  { noisy, t, reference, referenceActive }: DitInputs,
  variances: readonly number[],
): Prior {
  const batch = noisy.shape[0] ?? 1;
  const perSample = (x: Tensor): Tensor => x.reshape([batch, 1, 1, 1, 1]);
  const time = perSample(t);
  const rest = time.neg().add(1);
  if (!reference) return priorAround(noisy, null, { time, rest, spread: time.mul(0).add(1) });
  const active = referenceActive ? perSample(referenceActive) : time.mul(0).add(1);
  const excess = tensor(
    variances.map((variance) => variance - 1),
    { shape: [1, variances.length, 1, 1, 1] },
  );
  return priorAround(noisy, reference.mul(active), { time, rest, spread: active.mul(excess).add(1) });
}

function priorAround(
  noisy: Tensor,
  mean: Tensor | null,
  { time, rest, spread }: { readonly time: Tensor; readonly rest: Tensor; readonly spread: Tensor },
): Prior {
  const total = rest.square().mul(spread).add(time.square());
  const gain = time.sub(rest.mul(spread)).div(total);
  const residual = mean ? noisy.sub(mean.mul(rest)) : noisy;
  const expected = residual.mul(gain);
  return { mean: mean ? expected.sub(mean) : expected, deviation: spread.div(total).sqrt() };
}
