import { concat, softmax, tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import type { ReferencePrior } from "./config.ts";
import type { DitInputs } from "./inputs.ts";

/** What the velocity is before the network has its say, and the spread that is left to it. */
export interface Prior {
  /** Expected velocity, [B, C, T, h, w]. */
  readonly mean: Tensor;
  /** Standard deviation of the velocity around it, of the same shape. */
  readonly deviation: Tensor;
}

/** Variance below which a deviation counts as rounding. */
const LEAST_VARIANCE = 1e-6;

/**
 * Velocity expected from x_t when each latent cell is, with probability π_k, normal around the reference picture's: x_0 ~ N(a_k m, s_k²) by
 * channel. One kind of cell stands still (a = 1, small s²), others move. Where there is no reference, x_0 is normal around zero with unit variance.
 *
 * With r_k = x_t − (1 − t) a_k m and D_k = (1 − t)² s_k² + t², a cell is of kind k with a probability w_k proportional to π_k N(r_k; 0, D_k), and
 *
 * E[v | x_t, k] = (t − (1 − t) s_k²) / D_k · r_k − a_k m,   Var[v | x_t, k] = s_k² / D_k
 *
 * The network answers in units of the mixture's deviation around its mean. A fresh one shows the reference standing still wherever x_t does not speak
 * against it, and has only motion to learn. The guided difference of two branches is free of the prior.
 *
 * @see Karras et al. 2022, "Elucidating the Design Space", section 5 (preconditioning)
 */
export function referencePrior({ noisy, t, reference, referenceActive }: DitInputs, kinds: ReferencePrior): Prior {
  const batch = noisy.shape[0] ?? 1;
  const perSample = (x: Tensor): Tensor => x.reshape([batch, 1, 1, 1, 1]);
  const time = perSample(t);
  const rest = time.neg().add(1);
  const active = referenceActive ? perSample(referenceActive) : time.mul(0).add(reference ? 1 : 0);
  const centre = reference?.mul(active) ?? null;
  // without a reference all kinds are one: around zero, of unit variance
  const parts = (centre ? kinds : kinds.slice(0, 1)).map(({ weight, slopes, variances }) => {
    const mean = centre?.mul(byChannel(slopes)) ?? null;
    const spread = active.mul(byChannel(variances.map((variance) => variance - 1))).add(1);
    const total = rest.square().mul(spread).add(time.square());
    const residual = mean ? noisy.sub(mean.mul(rest)) : noisy;
    const expected = residual.mul(time.sub(rest.mul(spread)).div(total));
    const misfit = residual.square().div(total).add(total.log()).sum({ axis: 1, keepdim: true });
    return {
      expected: mean ? expected.sub(mean) : expected,
      variance: spread.div(total),
      evidence: misfit.mul(-0.5).add(Math.log(weight)),
    };
  });
  const shares = softmax(
    concat(
      parts.map((p) => p.evidence),
      { axis: 1 },
    ),
    { axis: 1 },
  );
  const mixed = (of: (part: (typeof parts)[number]) => Tensor): Tensor =>
    parts.map((part, k) => shares.slice(1, k, k + 1).mul(of(part))).reduce((sum, x) => sum.add(x));
  const mean = mixed((p) => p.expected);
  const variance = mixed((p) => p.variance.add(p.expected.sub(mean).square()));
  return { mean, deviation: variance.maximum(LEAST_VARIANCE).sqrt() };
}

const byChannel = (values: readonly number[]): Tensor => tensor(values, { shape: [1, values.length, 1, 1, 1] });
