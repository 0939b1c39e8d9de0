import { CheckpointError, tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import { readSafetensors, writeSafetensors } from "@omni/core/checkpoint";
import type { StateStore } from "./state-store.ts";

/** Options of {@link cachedStates}. */
export interface CacheOptions {
  readonly store: StateStore;
  /** Tells encoders apart: checkpoint, version, tokenizer, longest text. States of one are never given for another. */
  readonly encoder: string;
  /** Encodes one text, without padding: [1, L, width]. Called for texts that the store lacks. */
  readonly encode: (text: string) => Promise<Tensor>;
  /** Keep states as halves, which rounds them. Default false. */
  readonly half?: boolean;
}

const NAME = "states";

/** SHA-256 of the encoder and the text, hexadecimal. */
async function nameOf(encoder: string, text: string): Promise<string> {
  // the lengths keep "a" + "bc" and "ab" + "c" apart
  const bytes = new TextEncoder().encode(`${encoder.length}:${encoder}${text}`);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * An encoder that encodes each text once: captions of a data set, or prompts that come again.
 *
 * ```ts
 * const statesOf = cachedStates({ store: folderStore("cache/text"), encoder: "umt5-xxl bf16 512", encode });
 * const states = await statesOf("a woman waves");
 * ```
 *
 * @returns gives a text's states, [1, L, width], realised; the caller disposes them
 */
export function cachedStates({
  store,
  encoder,
  encode,
  half = false,
}: CacheOptions): (text: string) => Promise<Tensor> {
  const running = new Map<string, Promise<Uint8Array>>();
  const encoded = async (name: string, text: string): Promise<Uint8Array> => {
    const states = await encode(text);
    // states are f32
    const data = (await states.data()) as Float32Array;
    const bytes = writeSafetensors({ [NAME]: { shape: states.shape, data } }, { dtype: half ? "f16" : "f32" });
    states.dispose();
    await store.put(name, bytes);
    return bytes;
  };
  return async (text) => {
    const name = await nameOf(encoder, text);
    const bytes = (await store.get(name)) ?? (await once(running, name, () => encoded(name, text)));
    const stored = (await readSafetensors(bytes)).tensors[NAME];
    if (!stored) throw new CheckpointError(`cachedStates: entry ${name} must hold ${NAME}: delete it`);
    return tensor(Float32Array.from(await stored.data("f32")), { shape: stored.shape }).realize();
  };
}

/** What `make` gives, made once for all who ask while it is made. */
function once<T>(running: Map<string, Promise<T>>, name: string, make: () => Promise<T>): Promise<T> {
  const known = running.get(name);
  if (known) return known;
  const made = make().finally(() => running.delete(name));
  running.set(name, made);
  return made;
}
