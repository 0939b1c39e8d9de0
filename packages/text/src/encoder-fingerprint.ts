import { openCheckpoint } from "@omni/core/checkpoint";
import type { ByteInput, StoredTensor } from "@omni/core/checkpoint";
import { sha256 } from "./sha256.ts";

/** What makes an encoder give the states that it gives. */
export interface EncoderParts {
  /** Contents of its `tokenizer.json`, and whatever else changes states: config, longest text. */
  readonly settings: unknown;
  /** Its weights: any checkpoint that `openCheckpoint` takes. */
  readonly weights: ByteInput;
}

// 16 stretches of a tensor: 11 GB of weights are told apart by reading a few MB of them
const STRETCHES = 16;
const STRETCH = 1024;

/**
 * A name for an encoder by what it computes, for `cachedStates`: SHA-256 of its settings and of its weights' names, types, shapes and, from all
 * over each tensor, up to 16,384 values. Weights that were trained on get another name; single numbers changed by hand may not.
 *
 * @returns hexadecimal
 * @throws CheckpointError when the weights cannot be read
 */
export async function encoderFingerprint({ settings, weights }: EncoderParts): Promise<string> {
  const checkpoint = await openCheckpoint(weights);
  try {
    const names = Object.keys(checkpoint.tensors).sort();
    const lines = [JSON.stringify(settings)];
    for (const name of names) {
      const stored = checkpoint.tensors[name];
      if (stored) lines.push(`${name} ${stored.dtype} ${stored.shape.join("x")} ${await sampled(stored)}`);
    }
    return await sha256(new TextEncoder().encode(lines.join("\n")));
  } finally {
    await checkpoint.close();
  }
}

async function sampled(stored: StoredTensor): Promise<string> {
  const size = stored.shape.reduce((product, n) => product * n, 1);
  const begins =
    size <= STRETCHES * STRETCH
      ? [0]
      : Array.from({ length: STRETCHES }, (_, i) => Math.floor((i * (size - STRETCH)) / (STRETCHES - 1)));
  const count = begins.length > 1 ? STRETCH : size;
  const parts: string[] = [];
  for (const begin of begins) {
    const values = await stored.range("f32", begin, count);
    parts.push(await sha256(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)));
  }
  return parts.join("");
}
