import { grad, type Rng, type Tensor } from "@omni/core";
import { AdamW, clipGradNorm } from "@omni/core/optim";
import {
  adaptiveWeight,
  discriminatorPresets,
  generatorLoss,
  hingeLoss,
  Lecam,
  PatchDiscriminator,
  r1Penalty,
  type DiscriminatorConfig,
} from "@omni/vae";
import type { RunState } from "./run-state.ts";

/** Training against a discriminator. */
export interface AdversarialOptions {
  /** Weight of the generator's loss, times the adaptive one. */
  readonly weight: number;
  /** First step with a discriminator: before, reconstructions are too easy to tell. Default 0. */
  readonly start?: number;
  /** Default `nano-video`. */
  readonly discriminator?: DiscriminatorConfig;
  /** Balance the loss with the reconstruction at the decoder's last layer. Default true. */
  readonly adaptive?: boolean;
  /** Of the discriminator, constant. Default 4e-4. */
  readonly lr?: number;
  /** Weight γ of the slope where data is real, a sum over patches: 0.1 at 13 frames of 64×64 holds a discriminator still. Default 0. */
  readonly r1?: number;
  /** Weight of LeCam's regularisation (`Lecam` of @omni/vae). Default 0. */
  readonly lecam?: number;
}

/** One step's judgement. */
export interface Verdict {
  /** To add to the autoencoder's loss. */
  readonly loss: Tensor;
  /** Scalars for the log. */
  readonly values: Readonly<Record<string, Tensor>>;
  /** Tokens of the discriminator's own step, to be realised with the autoencoder's. */
  readonly updates: readonly Tensor[];
}

/** Taming Transformers' betas, Miyato et al.'s bound is the spectral norm; gradients are cut as the autoencoder's are. */
const BETAS = [0.5, 0.9] as const;
const CLIP = 1;

/** What a discriminator is shown of a step. */
export interface Judged {
  /** What was to be reconstructed, [B, 3, F, H, W]. */
  readonly video: Tensor;
  /** What became of it, with its gradient. */
  readonly decoded: Tensor;
  /** The autoencoder's own loss. */
  readonly reconstruction: Tensor;
  /** The decoder's last weight. */
  readonly lastLayer: Tensor;
}

/** A discriminator in training, which sees what the autoencoder makes and learns in the same steps. */
export class Adversary {
  readonly discriminator: PatchDiscriminator;
  readonly #options: Required<AdversarialOptions>;
  readonly #lecam = new Lecam();
  readonly #adam: AdamW;
  readonly #params: Readonly<Record<string, Tensor>>;

  constructor(options: AdversarialOptions, rng: Rng, state: RunState | null = null) {
    const defaults = { start: 0, discriminator: discriminatorPresets["nano-video"], adaptive: true } as const;
    this.#options = { ...defaults, lr: 4e-4, r1: 0, lecam: 0, ...options };
    this.discriminator = new PatchDiscriminator(this.#options.discriminator, rng);
    this.#params = this.discriminator.trainableParameters();
    this.#adam = new AdamW(this.#params, { lr: this.#options.lr, betas: [...BETAS], weightDecay: 0 });
    const values = state?.group("discriminator") ?? {};
    // a run may get its discriminator on the way
    if (!state || Object.keys(values).length === 0) return;
    this.discriminator.loadStateDict(values);
    this.#lecam.loadStateDict(state.group("lecam"));
    this.#adam.loadState(Number(state.metadata[STEPS] ?? 0), state.group("discriminator-adam"));
  }

  async realize(): Promise<this> {
    await this.discriminator.realize();
    await this.#lecam.realize();
    return this;
  }

  /**
   * @param step of the run
   * @returns null before the first step with a discriminator
   */
  judge(step: number, { video, decoded, reconstruction, lastLayer }: Judged): Verdict | null {
    const { weight, start, adaptive, r1, lecam } = this.#options;
    if (step < start) return null;
    const [real, fake] = [this.discriminator.forward(video), this.discriminator.forward(decoded)];

    const generator = generatorLoss(fake);
    const balance = adaptive ? adaptiveWeight(reconstruction, generator, lastLayer) : null;
    const loss = generator.mul(balance?.mul(weight) ?? weight);

    const hinge = hingeLoss(real, fake);
    const slope = r1 > 0 ? r1Penalty(real, video) : null;
    const drawn = lecam > 0 ? this.#lecam.penalty(real, fake) : null;
    const sum = [slope?.mul(r1), drawn?.mul(lecam)].reduce<Tensor>(
      (total, part) => (part ? total.add(part) : total),
      hinge,
    );
    return {
      loss,
      values: {
        discriminator: hinge,
        generator,
        ...(balance && { adaptiveWeight: balance }),
        ...(slope && { r1: slope }),
        ...(drawn && { lecam: drawn }),
      },
      updates: [...this.#learn(sum), ...this.discriminator.updates(), ...this.#lecam.updates()],
    };
  }

  #learn(loss: Tensor): Tensor[] {
    const names = Object.keys(this.#params);
    // the discriminator's weights alone: what it does to the decoder is the generator's loss
    const gradients = grad(loss, Object.values(this.#params));
    const named = Object.fromEntries(names.flatMap((name, i) => (gradients[i] ? [[name, gradients[i]]] : [])));
    return this.#adam.step(named, { gradScale: clipGradNorm(named, CLIP).scale });
  }

  /** What a resumed run needs, in named groups, beside {@link metadata}. */
  *state(): Generator<[string, Tensor]> {
    for (const [name, t] of this.discriminator.namedParameters()) yield [`discriminator/${name}`, t];
    for (const [name, t] of this.#lecam.namedParameters()) yield [`lecam/${name}`, t];
    for (const [name, t] of Object.entries(this.#adam.state().moments)) yield [`discriminator-adam/${name}`, t];
  }

  get metadata(): Readonly<Record<string, string>> {
    return { [STEPS]: String(this.#adam.state().step) };
  }
}

const STEPS = "discriminatorSteps";
