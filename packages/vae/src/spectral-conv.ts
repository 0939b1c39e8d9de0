import { conv3d } from "@omni/core";
import type { ConvOptions, Rng, Tensor } from "@omni/core";
import { buffer, Conv3d } from "@omni/core/nn";

/** Rounds of power iteration before the first step, as in PyTorch. */
const FIRST_ROUNDS = 15;

/**
 * A 3D convolution whose weight, as a matrix [out, rest], is divided by its largest singular value: a layer that lengthens nothing.
 *
 * v = Wᵀu / ‖Wᵀu‖,   σ = ‖W v‖,   y = conv(x, W / σ) + b,   u ← W v / σ
 *
 * One round a step follows σ while W changes slowly. u is written when `updates()` is realised, not by `forward`; gradients pass by u and v.
 *
 * @see Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks", algorithm 1; PyTorch's `spectral_norm`
 */
export class SpectralConv3d extends Conv3d {
  /** Estimate of the first left singular vector, [out], a buffer. */
  readonly u: Tensor;
  readonly #geometry: ConvOptions;
  #next: Tensor | null = null;

  constructor(
    channelsIn: number,
    channelsOut: number,
    kernel: readonly number[],
    { rng, ...geometry }: ConvOptions & { readonly rng: Rng },
  ) {
    super(channelsIn, channelsOut, kernel, { ...geometry, rng });
    this.#geometry = geometry;
    let u = unit(rng.fork("u").normal([channelsOut]));
    for (let i = 0; i < FIRST_ROUNDS; i++) u = this.#round(u).u;
    this.u = buffer(u);
  }

  override forward(x: Tensor): Tensor {
    const { sigma, u } = this.#round(this.u);
    if (this.training) this.#next = u.detach();
    return conv3d(x, this.weight.div(sigma), this.bias, this.#geometry);
  }

  #round(before: Tensor): { readonly sigma: Tensor; readonly u: Tensor } {
    const matrix = this.weight.reshape([this.weight.shape[0] ?? 0, -1]);
    const v = unit(matrix.mul(before.unsqueeze(1)).sum({ axis: 0 })).detach();
    const image = matrix.mul(v).sum({ axis: 1 });
    const sigma = length(image);
    return { sigma, u: image.div(sigma) };
  }

  protected override ownUpdates(): Tensor[] {
    const next = this.#next;
    this.#next = null;
    return next ? [this.u.assign(next)] : [];
  }
}

const length = (x: Tensor): Tensor => x.square().sum().add(1e-12).sqrt();
const unit = (x: Tensor): Tensor => x.div(length(x));
