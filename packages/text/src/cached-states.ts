import { CheckpointError, tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import { readSafetensors, writeSafetensors } from "@omni/core/checkpoint";
import type { StoredTensor } from "@omni/core/checkpoint";
import { sha256 } from "./sha256.ts";
import type { StateStore } from "./state-store.ts";

/** Options of {@link cachedStates}. */
export interface CacheOptions {
  readonly store: StateStore;
  /**
   * Tells encoders apart: `encoderFingerprint`, or a name of your own for checkpoint, version, tokenizer and longest text. States of one are
   * never given for another.
   */
  readonly encoder: string;
  /** Encodes one text, without padding: [1, L, width]. Called for texts that the store lacks. */
  readonly encode: (text: string) => Promise<Tensor>;
  /** Keep states as halves, which rounds them. Default false. */
  readonly half?: boolean;
}

const NAME = "states";

/** SHA-256 of the encoder and the text, hexadecimal. */
const nameOf = (encoder: string, text: string): Promise<string> =>
  // the lengths keep "a" + "bc" and "ab" + "c" apart
  sha256(new TextEncoder().encode(`${encoder.length}:${encoder}${text}`));

interface States {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

/** Of the values as they are stored. */
async function digestOf(stored: StoredTensor): Promise<string> {
  const { buffer, byteOffset, byteLength } = await stored.stored();
  return sha256(new Uint8Array(buffer, byteOffset, byteLength));
}

/** What an entry holds; null where it is damaged. */
async function statesIn(entry: Uint8Array): Promise<States | null> {
  try {
    const { tensors, metadata } = await readSafetensors(entry);
    const stored = tensors[NAME];
    if (!stored || metadata["sha256"] !== (await digestOf(stored))) return null;
    return { shape: stored.shape, data: Float32Array.from(await stored.data("f32")) };
  } catch (error) {
    if (error instanceof CheckpointError) return null;
    throw error;
  }
}

/** An entry that tells whether it is whole. */
async function entryOf(states: States, dtype: "f32" | "f16"): Promise<Uint8Array> {
  const tensors = { [NAME]: states };
  const { [NAME]: stored } = (await readSafetensors(writeSafetensors(tensors, { dtype }))).tensors;
  return writeSafetensors(tensors, { dtype, metadata: { sha256: stored ? await digestOf(stored) : "" } });
}

/**
 * An encoder that encodes each text once: captions of a data set, or prompts that come again. An entry that is damaged is made again.
 *
 * ```ts
 * const statesOf = cachedStates({ store: folderStore("cache/text"), encoder: fingerprint, encode });
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
  const running = new Map<string, Promise<States>>();
  const encoded = async (name: string, text: string): Promise<States> => {
    const states = await encode(text);
    const { shape } = states;
    const entry = await entryOf({ shape, data: Float32Array.from(await states.data()) }, half ? "f16" : "f32");
    states.dispose();
    await store.put(name, entry);
    const kept = await statesIn(entry);
    if (!kept) throw new CheckpointError(`cachedStates: an entry must be whole when it is made, got ${name}`);
    return kept;
  };
  return async (text) => {
    const name = await nameOf(encoder, text);
    const entry = await store.get(name);
    // a damaged entry is made again
    const kept = entry && (await statesIn(entry));
    const { shape, data } = kept ?? (await once(running, name, () => encoded(name, text)));
    return tensor(data.slice(), { shape }).realize();
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
