import { Rng, tensor } from "@omni/core";
import type { Trained } from "./train.ts";

/** Lets the model write: each character is drawn by its probability, sharpened by the temperature. */
export async function write(
  { model, alphabet }: Trained,
  prompt: string,
  count: number,
  { temperature = 0.5, seed = 0 } = {},
): Promise<string> {
  const { context } = model;
  const written = [...alphabet.encode(prompt)];
  const draws = await new Rng(seed).uniform([count]).data();
  for (const draw of draws) {
    const recent = written.slice(-context);
    // Always as long as the context, so that one plan serves: no score depends on what comes after it.
    const ids = new Int32Array(context);
    ids.set(recent);
    const scores = await model.forward(tensor(ids, { shape: [1, context] })).data();
    const size = alphabet.characters.length;
    const next = scores.subarray((recent.length - 1) * size, recent.length * size);
    written.push(pick(next, temperature, draw));
  }
  return alphabet.decode(written);
}

/** The index at which the summed probabilities pass `draw`, which is in [0, 1). */
function pick(scores: ArrayLike<number>, temperature: number, draw: number): number {
  const scaled = Array.from(scores, (s) => s / temperature);
  const top = Math.max(...scaled);
  const weights = scaled.map((s) => Math.exp(s - top));
  let left = draw * weights.reduce((a, b) => a + b, 0);
  return Math.max(
    0,
    weights.findIndex((w) => (left -= w) <= 0),
  );
}
