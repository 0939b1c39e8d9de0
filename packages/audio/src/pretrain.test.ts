import { grad, realize, Rng, tensor } from "@omni/core";
import { AdamW } from "@omni/core/optim";
import { describe, expect, test } from "vitest";
import { Wav2Vec2Encoder } from "./model.ts";
import { AudioPretrainHead, audioPretrainLoss } from "./pretrain.ts";
import { buzz, tinyConfig } from "./tiny-encoder.ts";
import { fieldSamples, hopSamples } from "./waveform.ts";

// three convolutions in place of seven: far fewer kernels to compile
const config = { ...tinyConfig, layers: 1, convDim: [8, 8, 8], convKernel: [10, 8, 8], convStride: [5, 8, 8] };
const steps = 4;
const samples = fieldSamples(config) + hopSamples(config) * (steps - 1);

function problem() {
  const encoder = new Wav2Vec2Encoder(config, { rng: new Rng(1) });
  const head = new AudioPretrainHead(config, { classes: 5, rng: new Rng(2) });
  const waveform = tensor(
    Float32Array.from([...buzz(samples), ...buzz(samples).reverse()], (x) => 3 * x),
    { shape: [2, samples] },
  );
  const targets = {
    classes: tensor(
      Int32Array.from({ length: 2 * steps }, (_, i) => i % 5),
      { shape: [2, steps] },
    ),
    curves: new Rng(3).uniform([2, steps, 3]),
  };
  const parameters = { ...encoder.parameters(), ...head.parameters() };
  return { encoder, head, waveform, targets, parameters };
}

describe("audioPretrainLoss", () => {
  test("starts near chance and sends gradients to every parameter", async () => {
    const { encoder, head, waveform, targets, parameters } = problem();
    await realize(Object.values(parameters));
    const { loss, classLoss } = audioPretrainLoss(encoder, head, waveform, targets);
    const norms = grad(loss, Object.values(parameters)).map((g) => g.abs().max());
    await realize([loss, classLoss, ...norms]);
    expect(Math.abs((await classLoss.item()) - Math.log(5))).toBeLessThan(0.5);
    const silent: string[] = [];
    for (const [i, name] of Object.keys(parameters).entries()) if (!((await norms[i]?.item()) ?? 0)) silent.push(name);
    // a key bias adds the same to all scores of a query: softmax does not see it
    expect(silent.filter((name) => !name.endsWith("k_proj.bias"))).toEqual([]);
  });

  test("a few steps of AdamW learn the classes", async () => {
    const { encoder, head, waveform, targets, parameters } = problem();
    await realize(Object.values(parameters));
    const optimizer = new AdamW(parameters, { lr: 0.01 });
    const names = Object.keys(parameters);
    const losses: number[] = [];
    for (let step = 0; step < 12; step++) {
      const { loss } = audioPretrainLoss(encoder, head, waveform, targets);
      const grads = grad(loss, Object.values(parameters));
      const updates = optimizer.step(
        Object.fromEntries(names.map((name, i) => [name, grads[i] as (typeof grads)[number]])),
      );
      await realize([loss, ...updates]);
      losses.push(await loss.item());
    }
    expect(losses.at(-1)).toBeLessThan(0.7 * (losses[0] ?? 0));
  });
});
