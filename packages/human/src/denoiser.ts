import { Rng } from "@omni/core";
import { loadNetwork } from "@omni/core/checkpoint";
import type { ByteInput, NetworkFormat, NetworkOptions } from "@omni/core/checkpoint";
import { Module } from "@omni/core/nn";
import { MMDiT } from "@omni/dit";
import { PoseGuider } from "@omni/pose";
import { T5Encoder } from "@omni/text";
import { parseDenoiserConfig, presets } from "./config.ts";
import type { DenoiserConfig } from "./config.ts";

/**
 * The parts that are trained together: denoiser, text encoder, pose guider. Their parameters begin with `dit.`, `text.` and `pose.`.
 */
export class Denoiser extends Module {
  /** How its files are recognised. */
  static readonly format: NetworkFormat<DenoiserConfig, Denoiser> = {
    model: "omni-human",
    parse: parseDenoiserConfig,
    build: (config) => new Denoiser(config),
    layouts: [],
  };
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

  /**
   * Loads a file of `saveDenoiser`.
   *
   * @param source bytes, a Blob, a URL, a place on the hub, or in Node a path
   * @throws CheckpointError when the file holds another network, or names or shapes do not fit
   */
  static load(source: ByteInput, options: NetworkOptions<DenoiserConfig> = {}): Promise<Denoiser> {
    return loadNetwork(source, Denoiser.format, options);
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
