import { networkMetadata, saveState } from "@omni/core/checkpoint";
import type { ByteInput, ByteSource } from "@omni/core/checkpoint";
import { CausalVae } from "./model.ts";

/** Bytes, a Blob, a URL, or in Node a path. */
export type VaeSource = Exclude<ByteInput, ByteSource>;

/** The safetensors metadata of a model: its config, latent statistics included. */
export function vaeMetadata(vae: CausalVae): Readonly<Record<string, string>> {
  return networkMetadata(CausalVae.format, vae.config);
}

/**
 * The model as a safetensors file in memory.
 *
 * @param options `dtype: "f16"` halves the file
 */
export function saveVae(vae: CausalVae, options: { readonly dtype?: "f32" | "f16" } = {}): Promise<Uint8Array> {
  return saveState(vae, { ...options, metadata: vaeMetadata(vae) });
}
