import { Rng } from "@omni/core";
import { Module } from "@omni/core/nn";
import { MMDiT } from "@omni/dit";
import { PoseGuider } from "@omni/pose";
import { T5Encoder } from "@omni/text";
import { presets } from "./config.ts";
import type { DenoiserConfig } from "./config.ts";

/**
 * The parts that are trained together: denoiser, text encoder, pose guider. Their parameters begin with `dit.`, `text.` and `pose.`.
 */
export class Denoiser extends Module {
  readonly dit: MMDiT;
  readonly text: T5Encoder;
  readonly pose: PoseGuider;
  readonly #config: DenoiserConfig;

  constructor(config: DenoiserConfig = presets.nano, { rng = new Rng(0) }: { readonly rng?: Rng } = {}) {
    super();
    const { dit, text, pose, clip, sampling } = config;
    this.#config = { dit, text, pose, clip, sampling };
    this.dit = new MMDiT(dit, { rng: rng.fork("dit") });
    this.text = new T5Encoder(text, { rng: rng.fork("text") });
    this.pose = new PoseGuider(pose, rng.fork("pose"));
  }

  /** Travels with the weights. */
  get config(): DenoiserConfig {
    return this.#config;
  }
}

/** The denoiser before it learnt the pose: guider and pose columns anew, all other parameters its own. */
export function forgetPose(denoiser: Denoiser, rng: Rng): Denoiser {
  const fresh = new Denoiser(denoiser.config, { rng });
  const kept = Object.entries(denoiser.stateDict()).filter(
    ([name]) => !name.startsWith("pose.") && !name.startsWith("dit.patchEmbed.pose."),
  );
  fresh.loadStateDict({ ...fresh.stateDict(), ...Object.fromEntries(kept) });
  return fresh;
}
