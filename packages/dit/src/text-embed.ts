import type { Rng, Tensor } from "@omni/core";
import { Linear, Module } from "@omni/core/nn";
import type { DitConfig } from "./config.ts";

/** Text encoder states → text tokens: a two-layer projection. */
export class TextEmbed extends Module {
  readonly in: Linear;
  readonly out: Linear;

  constructor({ textDim, width }: Pick<DitConfig, "textDim" | "width">, rng: Rng) {
    super();
    this.in = new Linear(textDim, width, { rng: rng.fork("in") });
    this.out = new Linear(width, width, { rng: rng.fork("out") });
  }

  /** [B, L, textDim] → [B, 1, L, D] */
  forward(text: Tensor): Tensor {
    return this.out.forward(this.in.forward(text).gelu()).unsqueeze(1);
  }
}
