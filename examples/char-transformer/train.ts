import { crossEntropy, grad, realize, Rng, tensor } from "@omni/core";
import { AdamW, clipGradNorm, linear } from "@omni/core/optim";
import { type CharConfig, CharTransformer } from "./model.ts";

const CONTEXT = 48;
const BATCH = 16;
const LEARNING_RATE = 3e-3;

/** Text as numbers: each character that occurs has one. */
export class Alphabet {
  readonly characters: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;

  constructor(text: string) {
    this.characters = [...new Set(text)].sort();
    this.#ids = new Map(this.characters.map((c, i) => [c, i]));
  }
  encode(text: string): Int32Array<ArrayBuffer> {
    return Int32Array.from(Array.from(text).flatMap((c) => this.#ids.get(c) ?? []));
  }
}

export interface TrainOptions {
  readonly steps: number;
  readonly seed?: number;
  readonly onStep?: (step: number, loss: number) => void;
}

export interface Trained {
  readonly model: CharTransformer;
  readonly alphabet: Alphabet;
}

/** Trains a small decoder to guess the next character of a text. */
export async function train(text: string, { steps, seed = 0, onStep }: TrainOptions): Promise<Trained> {
  const alphabet = new Alphabet(text);
  const ids = alphabet.encode(text);
  const config: CharConfig = { vocabulary: alphabet.characters.length, context: CONTEXT, dim: 96, heads: 4, depth: 2 };
  const model = await new CharTransformer(config, seed).realize();
  const params = model.parameters();
  const names = Object.keys(params);
  const optimizer = new AdamW(params, { lr: LEARNING_RATE, weightDecay: 0.01 });
  const schedule = linear({ peak: LEARNING_RATE, warmup: 50, total: steps });
  const rng = new Rng(seed).fork("batches");
  for (let step = 0; step < steps; step++) {
    const starts = await rng.randint([BATCH], 0, ids.length - CONTEXT - 1).data();
    const batch = (shift: number) =>
      tensor(Int32Array.from([...starts].flatMap((s) => [...ids.subarray(s + shift, s + shift + CONTEXT)])), {
        shape: [BATCH, CONTEXT],
      });
    const logits = model.forward(batch(0)).reshape([BATCH * CONTEXT, config.vocabulary]);
    const loss = crossEntropy(logits, batch(1).reshape([BATCH * CONTEXT]));
    const gradients = grad(loss, Object.values(params));
    const named = Object.fromEntries(names.map((n, i) => [n, gradients[i] ?? loss]));
    const { scale } = clipGradNorm(named, 1);
    const update = optimizer.step(named, { lr: schedule(step), gradScale: scale });
    await realize([loss, ...update]);
    onStep?.(step + 1, await loss.item());
  }
  return { model, alphabet };
}

/** Lets the model write: each character is drawn by its probability, sharpened by the temperature. */
export async function write(
  { model, alphabet }: Trained,
  prompt: string,
  count: number,
  { temperature = 0.6, seed = 0 } = {},
): Promise<string> {
  const written = [...alphabet.encode(prompt)];
  const draws = await new Rng(seed).uniform([count]).data();
  for (const draw of draws) {
    const recent = written.slice(-CONTEXT);
    const logits = model.forward(tensor(Int32Array.from(recent), { shape: [1, recent.length] })).slice(1, -1);
    const scores = [...(await logits.data())].map((s) => s / temperature);
    const top = Math.max(...scores);
    const weights = scores.map((s) => Math.exp(s - top));
    let left = draw * weights.reduce((a, b) => a + b, 0);
    const chosen = weights.findIndex((w) => (left -= w) <= 0);
    written.push(Math.max(0, chosen));
  }
  return written.map((id) => alphabet.characters[id] ?? "").join("");
}
