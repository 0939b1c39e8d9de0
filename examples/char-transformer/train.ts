import { crossEntropy, grad, realize, Rng, tensor } from "@omni/core";
import { AdamW, clipGradNorm, linear } from "@omni/core/optim";
import { Alphabet } from "./alphabet.ts";
import { CharTransformer } from "./model.ts";

const CONTEXT = 64;
const BATCH = 8;
const LEARNING_RATE = 5e-3;

export interface Trained {
  readonly model: CharTransformer;
  readonly alphabet: Alphabet;
}

export interface Progress extends Trained {
  readonly step: number;
  /** Nats a character, of this step's batch. */
  readonly loss: number;
}

/**
 * Trains a small decoder to guess the next character of a text, and tells of each step. Whoever iterates may let the model write
 * in between, and stops the training by leaving the loop.
 *
 * @throws RangeError when the text is shorter than what the model reads at a time
 */
export async function* train(text: string, { steps = 1500, seed = 0 } = {}): AsyncGenerator<Progress> {
  const alphabet = new Alphabet(text);
  const ids = alphabet.encode(text);
  if (ids.length < CONTEXT + 2)
    throw new RangeError(`train: the text must have at least ${CONTEXT + 2} characters, got ${ids.length}; give more`);
  const config = { vocabulary: alphabet.characters.length, context: CONTEXT, dim: 96, heads: 4, depth: 2 };
  const model = await new CharTransformer(config, seed).realize();
  const params = model.parameters();
  const names = Object.keys(params);
  const optimizer = new AdamW(params, { lr: LEARNING_RATE, weightDecay: 0.01 });
  const schedule = linear({ peak: LEARNING_RATE, warmup: 50, total: steps });
  const rng = new Rng(seed).fork("batches");
  for (let step = 1; step <= steps; step++) {
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
    await realize([loss, ...optimizer.step(named, { lr: schedule(step - 1), gradScale: scale })]);
    yield { step, loss: await loss.item(), model, alphabet };
  }
}
