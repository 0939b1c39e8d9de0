import type { Rng, Tensor } from "@omni/core";
import type { CausalVae } from "./model.ts";
import { perceptualDistance } from "./perceptual.ts";
import type { PerceptualFeatures } from "./perceptual.ts";

export interface VaeLossOptions {
  /** Weight of |d|. Default 1. */
  readonly l1Weight?: number;
  /** Weight of d². Default 1. */
  readonly l2Weight?: number;
  /** Compares features of both clips too. Default null. */
  readonly perceptual?: { readonly features: PerceptualFeatures; readonly weight: number } | null;
  /** Weight of the KL term. Default 1e-4. */
  readonly klWeight?: number;
  /** Draws the latents from the posterior; `null` takes its mean. Default null. */
  readonly rng?: Rng | null;
  /** Noise that the decoder must see through, as it must through what a denoiser leaves. Default null. */
  readonly latentNoise?: LatentNoise | null;
}

/** Normal noise on normalised latents, of another size for each sample: uniform in [0, `deviation`]. */
export interface LatentNoise {
  readonly deviation: number;
  readonly rng: Rng;
}

/** The loss and its parts, all scalars, with the clip they judge. */
export interface VaeLoss {
  /** reconstruction + weight · perceptual + klWeight · kl */
  readonly loss: Tensor;
  /** Weighted mean of l1Weight |d| + l2Weight d². */
  readonly reconstruction: Tensor;
  /** `perceptualDistance` of the clips; null where it was not asked for. */
  readonly perceptual: Tensor | null;
  /** Mean over latent elements of KL(posterior ‖ standard normal), nats. */
  readonly kl: Tensor;
  /** Unweighted mean of d², for PSNR: 10 log10(4 / mse) over pixels in [-1, 1]. */
  readonly mse: Tensor;
  /** Reconstructed clip, [B, 3, F, H, W], not clamped. */
  readonly decoded: Tensor;
}

/**
 * Training loss of the autoencoder: weighted L1 + L2, features where given, and a small KL term.
 *
 * L = Σ w (a |d| + b d²) / Σ w + p · perceptual + λ · ½ mean(μ² + σ² - 1 - log σ²),   d = decode(z) - video
 *
 * @param video [B, 3, F, H, W], in [-1, 1]
 * @param weights [B, 1, F, H, W] as `movingPartWeights` makes them, or `null` for all alike
 */
export function vaeLoss(vae: CausalVae, video: Tensor, weights: Tensor | null, options: VaeLossOptions = {}): VaeLoss {
  const { l1Weight = 1, l2Weight = 1, klWeight = 1e-4, rng = null, latentNoise = null } = options;
  const { mean, logvar } = vae.encodeMoments(video);
  const drawn = rng ? mean.add(logvar.mul(0.5).exp().mul(rng.normal(mean.shape))) : mean;
  const latents = latentNoise ? vae.denormalize(noised(vae.normalize(drawn), latentNoise)) : drawn;
  const decoded = vae.decodeRaw(latents);

  const difference = decoded.sub(video);
  const squared = difference.square();
  const error = difference.abs().mul(l1Weight).add(squared.mul(l2Weight));
  const reconstruction = weights ? error.mul(weights).sum().div(weights.sum().mul(3)) : error.mean();
  const kl = mean.square().add(logvar.exp()).sub(1).sub(logvar).mean().mul(0.5);
  const seen = options.perceptual ?? null;
  const perceptual = seen && perceptualDistance(seen.features, decoded, video);
  const judged = perceptual && seen ? reconstruction.add(perceptual.mul(seen.weight)) : reconstruction;
  return { loss: judged.add(kl.mul(klWeight)), reconstruction, perceptual, kl, mse: squared.mean(), decoded };
}

function noised(latents: Tensor, { deviation, rng }: LatentNoise): Tensor {
  const size = rng.fork("size").uniform([latents.shape[0] ?? 0, 1, 1, 1, 1], 0, deviation);
  return latents.add(rng.fork("noise").normal(latents.shape).mul(size));
}

/**
 * Pixel weights that keep small moving parts (mouth, eyes, hands) alive through the compression: 1 outside, `gain` inside.
 *
 * @param mask [B, 1, F, H, W], 1 on moving parts, 0 elsewhere; other values scale the gain
 */
export function movingPartWeights(mask: Tensor, gain = 5): Tensor {
  return mask.mul(gain - 1).add(1);
}
