import { CheckpointError } from "@omni/core";
import { loadState, openCheckpoint, saveState } from "@omni/core/checkpoint";
import type { ByteInput, ByteSource } from "@omni/core/checkpoint";
import { parseVaeConfig, vaePresets } from "./config.ts";
import type { VaeConfig } from "./config.ts";
import { fromDiffusersKey, fromWanKey, fromWanState } from "./key-map.ts";
import { CausalVae } from "./model.ts";

/** Bytes, a Blob, a URL, or in Node a path. */
export type VaeSource = Exclude<ByteInput, ByteSource>;

/** The safetensors metadata of a model: its config, latent statistics included. */
export function vaeMetadata(vae: CausalVae): Readonly<Record<string, string>> {
  return { model: "omni-vae", config: JSON.stringify(vae.config) };
}

/**
 * The model as a safetensors file in memory.
 *
 * @param options `dtype: "f16"` halves the file
 */
export function saveVae(vae: CausalVae, options: { readonly dtype?: "f32" | "f16" } = {}): Promise<Uint8Array> {
  return saveState(vae, { ...options, metadata: vaeMetadata(vae) });
}

/**
 * Builds the model that a file of `saveVae` describes and loads its weights.
 *
 * @throws CheckpointError when the file holds no such model
 */
export async function loadVae(source: VaeSource): Promise<CausalVae> {
  const checkpoint = await openCheckpoint(source);
  await checkpoint.close();
  const { metadata } = checkpoint;
  if (metadata["model"] !== "omni-vae") {
    throw new CheckpointError(`loadVae: the file must hold an omni-vae, got ${JSON.stringify(metadata["model"])}`);
  }
  const vae = new CausalVae(parseVaeConfig(parseJson(metadata["config"])));
  await loadState(vae, source);
  return vae;
}

/**
 * Loads Wan2.1's published autoencoder, or another one under its names.
 *
 * @param source under Wan's names (`encoder.conv1.weight`, …) or diffusers' (`encoder.conv_in.weight`, …)
 * @throws CheckpointError when names or sizes do not fit the config
 */
export async function loadWanVae(source: VaeSource, config: VaeConfig = vaePresets.wan21): Promise<CausalVae> {
  const vae = new CausalVae(config);
  const checkpoint = await openCheckpoint(source);
  try {
    const isDiffusers = "encoder.conv_in.weight" in checkpoint.tensors;
    const toOurs = isDiffusers ? (key: string) => fromDiffusersKey(key, config) : fromWanKey;
    const ours = fromWanState(checkpoint.tensors, vae.stateDict(), toOurs);
    for (const [name, { shape, value }] of Object.entries(ours)) {
      // one at a time: the file never stands in memory whole
      vae.loadStateDict({ [name]: { shape, data: await value.data("f32") } }, { strict: false });
    }
  } finally {
    await checkpoint.close();
  }
  return vae;
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch (cause) {
    throw new CheckpointError("loadVae: the file's config must be JSON; save it again", { cause });
  }
}
