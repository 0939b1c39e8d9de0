import { concat, zeros } from "@omni/core";
import type { Rng, Tensor } from "@omni/core";
import { Linear, Module } from "@omni/core/nn";
import type { DitConfig } from "./config.ts";
import type { Layout } from "./inputs.ts";
import { timestepEmbedding } from "./timestep-embedding.ts";

/** Rows of a block's modulation: shift, scale and gate of attention, then of the FFN. */
export const MODULATION_ROWS = 6;

/** The shared part of AdaSingle modulation; every block adds its own table. Where blocks project for themselves (adaLN): the time vector. */
export interface TimeModulation {
  /** Per latent frame, [B, frames, 6, D]: reference and motion at timestep 0, noisy at t. The vector: [B, frames, D]. */
  readonly video: Tensor;
  /** [B, 1, 6, D] at t. The vector: [B, 1, D]. */
  readonly text: Tensor;
  /** Time vector for the final layer, [B, 1, 1, D]. */
  readonly vector: Tensor;
}

/**
 * One timestep projection for all blocks (AdaSingle).
 *
 * @see Chen et al. 2023, PixArt-α, section 2.3
 */
export class TimeEmbed extends Module {
  readonly in: Linear;
  readonly out: Linear;
  readonly projection: Linear;
  readonly #dim: number;
  readonly #width: number;

  constructor({ timeDim, width }: Pick<DitConfig, "timeDim" | "width">, rng: Rng) {
    super();
    this.in = new Linear(timeDim, width, { rng: rng.fork("in") });
    this.out = new Linear(width, width, { rng: rng.fork("out") });
    this.projection = new Linear(width, MODULATION_ROWS * width, { rng: rng.fork("projection") });
    this.#dim = timeDim;
    this.#width = width;
  }

  /** @param t [B] in [0, 1] */
  forward(t: Tensor, { batch, frames, noisyFrames }: Pick<Layout, "batch" | "frames" | "noisyFrames">): TimeModulation {
    const width = this.#width;
    const times = concat([t, zeros([1])], { axis: 0 });
    const waves = timestepEmbedding(times.mul(1000), { dim: this.#dim });
    const vector = this.out.forward(this.in.forward(waves).silu());
    const rows = this.projection.forward(vector.silu()).reshape([batch + 1, 1, MODULATION_ROWS, width]);
    const atT = rows.slice(0, 0, batch);
    const atZero = rows.slice(0, batch, batch + 1);
    const clean = frames - noisyFrames;
    const noised = atT.expand([batch, noisyFrames, MODULATION_ROWS, width]);
    return {
      video:
        clean === 0 ? noised : concat([atZero.expand([batch, clean, MODULATION_ROWS, width]), noised], { axis: 1 }),
      text: atT,
      vector: vector.slice(0, 0, batch).reshape([batch, 1, 1, width]),
    };
  }
}
