import { grad, zeros } from "@omni/core";
import type { Tensor } from "@omni/core";
import { buffer, Module } from "@omni/core/nn";

/**
 * What a discriminator minimises: ½ (E max(0, 1 - D(real)) + E max(0, 1 + D(fake))). 1 is a discriminator that knows nothing and says 0.
 *
 * @param real scores of real patches
 * @param fake scores of made ones
 * @returns a scalar
 * @see Lim & Ye 2017, "Geometric GAN"; Esser et al. 2021, "Taming Transformers"
 */
export function hingeLoss(real: Tensor, fake: Tensor): Tensor {
  const misjudged = (margins: Tensor): Tensor => margins.neg().add(1).relu().mean();
  return misjudged(real).add(misjudged(fake.neg())).mul(0.5);
}

/** What the autoencoder minimises against a discriminator: -E D(fake). */
export const generatorLoss = (fake: Tensor): Tensor => fake.mean().neg();

/** Most that {@link adaptiveWeight} gives. */
const MOST = 1e4;

/**
 * Weight that makes the generator's loss move the decoder's last layer as much as the reconstruction does.
 *
 * λ = ‖∂L_rec/∂W‖ / (‖∂L_gen/∂W‖ + 1e-4), at most 1e4, no gradient
 *
 * @param lastLayer W
 * @returns a scalar
 * @see Esser et al. 2021, "Taming Transformers for High-Resolution Image Synthesis", eq. 7
 */
export function adaptiveWeight(reconstruction: Tensor, generator: Tensor, lastLayer: Tensor): Tensor {
  const length = (loss: Tensor): Tensor => {
    const [gradient = loss] = grad(loss, [lastLayer]);
    return gradient.square().sum().sqrt();
  };
  return length(reconstruction).div(length(generator).add(1e-4)).clamp(0, MOST).detach();
}

/**
 * Penalty on a discriminator's slope where data is real: ½ E ‖∇ Σ D(x)‖², with the sum over patches.
 *
 * @param scores D(real), as the discriminator gave them
 * @param real [B, …], what it saw
 * @returns a scalar, to be differentiated again
 * @see Mescheder et al. 2018, "Which Training Methods for GANs do actually Converge?", eq. 9
 */
export function r1Penalty(scores: Tensor, real: Tensor): Tensor {
  const [slope = real] = grad(scores.sum(), [real]);
  return slope
    .square()
    .sum()
    .mul(0.5 / (real.shape[0] ?? 1));
}

/** Share of a new batch in the averages. */
const NEW = 0.01;

/**
 * Keeps a discriminator of little data from being sure: scores are drawn to where the other side's have been on average.
 *
 * E max(0, D(real) - α_fake)² + E max(0, α_real - D(fake))²,   α running means of D(real) and D(fake)
 *
 * The means are written when `updates()` is realised.
 *
 * @see Tseng et al. 2021, "Regularizing Generative Adversarial Networks under Limited Data", eq. 5, and its code
 */
export class Lecam extends Module {
  readonly real = buffer(zeros([]));
  readonly fake = buffer(zeros([]));
  #next: { readonly real: Tensor; readonly fake: Tensor } | null = null;

  /** @returns a scalar */
  penalty(real: Tensor, fake: Tensor): Tensor {
    const follow = (mean: Tensor, scores: Tensor): Tensor => mean.add(scores.mean().detach().sub(mean).mul(NEW));
    this.#next = { real: follow(this.real, real), fake: follow(this.fake, fake) };
    const sureOfReal = real.sub(this.fake).relu().square().mean();
    return sureOfReal.add(this.real.sub(fake).relu().square().mean());
  }

  protected override ownUpdates(): Tensor[] {
    const next = this.#next;
    this.#next = null;
    return next ? [this.real.assign(next.real), this.fake.assign(next.fake)] : [];
  }
}
