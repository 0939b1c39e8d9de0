import { Wav2Vec2Encoder } from "@omni/audio";
import { networkMetadata, saveState } from "@omni/core/checkpoint";
import type { ByteInput, ByteSource } from "@omni/core/checkpoint";
import type { Module } from "@omni/core/nn";
import { vaeMetadata } from "@omni/vae";
import type { CausalVae } from "@omni/vae";
import type { SamplingConfig } from "./config.ts";
import { Denoiser } from "./denoiser.ts";

/** One weights file: bytes, a Blob, a URL, or in Node a path. */
export type WeightSource = Exclude<ByteInput, ByteSource>;

/** The three files of a model. `dit` holds denoiser, text encoder and pose guider. */
export interface HumanWeights {
  readonly vae: WeightSource;
  readonly audio: WeightSource;
  readonly dit: WeightSource;
}

/** File names within a weights folder. */
export const WEIGHT_FILES = {
  vae: "vae.safetensors",
  audio: "audio.safetensors",
  dit: "dit.safetensors",
} as const satisfies Record<keyof HumanWeights, string>;

/**
 * The files of a weights folder.
 *
 * @param folder a URL, or in Node a path
 */
export function weightsIn(folder: string | URL): HumanWeights {
  const at = (name: string): string | URL =>
    folder instanceof URL ? new URL(name, folder.href.endsWith("/") ? folder : `${folder.href}/`) : `${folder}/${name}`;
  return { vae: at(WEIGHT_FILES.vae), audio: at(WEIGHT_FILES.audio), dit: at(WEIGHT_FILES.dit) };
}

/** The weights that ship with the package. */
export const nanoWeights = (): HumanWeights => weightsIn(new URL("../weights/nano/", import.meta.url));

/** How {@link saveDenoiser} and its like write. */
export interface SaveOptions {
  /** `f16` halves the file. Default `f16`. */
  readonly dtype?: "f32" | "f16";
  /** More text beside the config: how the weights were made. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Values instead of the module's own, by the same names: an average of the weights. */
  readonly values?: Readonly<Record<string, SavedTensor>>;
}
/** How {@link saveDenoiser} writes. */
export interface SaveDenoiserOptions extends SaveOptions {
  /** How it is best sampled from now on. Default: as its config says. */
  readonly sampling?: SamplingConfig;
}
type SavedTensor = ReturnType<Module["parameters"]>[string];

/** Denoiser, text encoder and pose guider as one safetensors file. */
export const saveDenoiser = (
  denoiser: Denoiser,
  { sampling = denoiser.config.sampling, ...options }: SaveDenoiserOptions = {},
): Promise<Uint8Array> => save(denoiser, networkMetadata(Denoiser.format, { ...denoiser.config, sampling }), options);

/** The audio encoder as a safetensors file. */
export const saveAudio = (encoder: Wav2Vec2Encoder, options: SaveOptions = {}): Promise<Uint8Array> =>
  save(encoder, networkMetadata(Wav2Vec2Encoder.format, encoder.config), options);

/** The autoencoder as a safetensors file. */
export const saveAutoencoder = (vae: CausalVae, options: SaveOptions = {}): Promise<Uint8Array> =>
  save(vae, vaeMetadata(vae), options);

function save(
  module: Module,
  metadata: Readonly<Record<string, string>>,
  { dtype = "f16", metadata: more = {}, values }: SaveOptions,
): Promise<Uint8Array> {
  const named = Object.entries(values ?? module.parameters());
  return saveState({ namedParameters: () => named }, { dtype, metadata: { ...more, ...metadata } });
}
