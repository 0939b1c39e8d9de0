import { zeros } from "@omni/core";
import type { Rng, Tensor } from "@omni/core";
import { Linear, Module } from "@omni/core/nn";
import type { BlockConfig } from "./block-config.ts";
import { inputModulation, modulatedNorm } from "./modulation.ts";
import type { ModulationWeights } from "./modulation.ts";

/** Modulated norm and the projection back to patches; both start at zero. */
export class FinalLayer extends Module {
  /** Shift and scale. */
  readonly modulation: ModulationWeights;
  readonly projection: Linear;
  readonly #norm: BlockConfig["norm"];

  /** @param patch values of a patch, channels · rows · columns */
  constructor({ width, norm, modulation }: BlockConfig, patch: number, rng: Rng) {
    super();
    this.modulation = modulation === "table" ? zeros([2, width]) : new Linear(width, 2 * width, { rng, init: "zeros" });
    this.projection = new Linear(width, patch, { rng: rng.fork("projection"), init: "zeros" });
    this.#norm = norm;
  }

  /**
   * @param video [B, frames, P, D]
   * @param vector time, [B, 1, 1, D]; [B, 1, D] beside a projection of its own
   * @returns [B, frames, P, patch]
   */
  forward(video: Tensor, vector: Tensor): Tensor {
    return this.projection.forward(modulatedNorm(video, inputModulation(vector, this.modulation), this.#norm));
  }
}
