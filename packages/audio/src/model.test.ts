import { realize, Rng, tensor } from "@omni/core";
import { describe, expect, test } from "vitest";
import { presets } from "./config.ts";
import { flops } from "./flops.ts";
import { Wav2Vec2Encoder } from "./model.ts";
import { buzz, tinyConfig } from "./tiny-encoder.ts";

const base = { ...tinyConfig, extractorNorm: "group", convBias: false, preNorm: false, attentionReach: null } as const;

describe("Wav2Vec2Encoder", () => {
  test.each([
    ["pre-norm, layer-norm extractor", tinyConfig],
    ["post-norm, group-norm extractor", base],
  ])("%s: gives the first layer's input and every layer's output at 50 Hz", async (_, config) => {
    const encoder = await new Wav2Vec2Encoder(config).realize();
    const { hidden, extracted } = encoder.forward(tensor(buzz(3200), { shape: [1, 3200] }));
    await realize([...hidden, extracted]);
    expect(hidden.map(({ shape }) => shape)).toEqual(new Array(3).fill([1, 9, 16]));
    expect(extracted.shape).toEqual([1, 9, 8]);
    for (const state of hidden) expect((await state.data()).every(Number.isFinite)).toBe(true);
  });

  test("padding masked by stepMask does not touch the sound before it", async () => {
    const encoder = await new Wav2Vec2Encoder(tinyConfig).realize();
    const sound = buzz(3200);
    const padded = new Float32Array(4800);
    padded.set(sound);
    const alone = encoder.forward(tensor(sound, { shape: [1, 3200] })).hidden.at(-1);
    const mask = tensor(
      Float32Array.from({ length: 14 }, (_, i) => (i < 9 ? 1 : 0)),
      { shape: [1, 14] },
    );
    const masked = encoder.forward(tensor(padded, { shape: [1, 4800] }), { sound: mask }).hidden.at(-1);
    const difference = alone
      ?.sub(masked?.slice(1, 0, 9) ?? 0)
      .abs()
      .max();
    expect(await difference?.item()).toBeLessThan(1e-5);
  });

  test("a finite reach lets nothing through from farther away", async () => {
    const encoder = await new Wav2Vec2Encoder(tinyConfig).realize();
    const near = buzz(32_000);
    const far = near.slice();
    far.fill(0.3, 30_000); // step 93 on
    const run = (x: Float32Array<ArrayBuffer>) => encoder.forward(tensor(x, { shape: [1, x.length] })).hidden.at(-1);
    const change = await run(near)
      ?.sub(run(far) ?? 0)
      .abs()
      .max({ axis: [0, 2] })
      .data();
    // two layers of 6 steps and half a position kernel of 5: 14 steps, and one of the convolutions
    expect(change?.slice(0, 93 - 15).every((d) => d === 0)).toBe(true);
    expect(change?.slice(93).some((d) => d > 1e-3)).toBe(true);
  });

  test("rejects sound shorter than its receptive field", () => {
    const encoder = new Wav2Vec2Encoder(tinyConfig);
    expect(() => encoder.forward(new Rng(0).normal([1, 399]))).toThrow(
      "Wav2Vec2Encoder: waveform must have at least 400 samples, got 399: pad it with zeros",
    );
  });
});

describe("presets", () => {
  test("nano stays under 1 M parameters and 0.3 GFLOP a second of sound", () => {
    expect(new Wav2Vec2Encoder(presets.nano).numParameters()).toBeLessThan(1e6);
    expect(flops(presets.nano, 16_000)).toBeLessThan(0.3e9);
  });

  test("base has the size of wav2vec2-base", () => {
    // facebook/wav2vec2-base: 94,371,712 parameters with masked_spec_embed (768)
    expect(new Wav2Vec2Encoder(presets.base).numParameters()).toBe(94_371_712 - 768);
  });
});
