import { memory } from "@omni/core";
import { beforeAll, describe, expect, test } from "vitest";
import { channelStatistics } from "./channel-statistics.ts";
import type { AudioConfig } from "./config.ts";
import { featureDim } from "./features.ts";
import { Wav2Vec2Encoder } from "./model.ts";
import { frameCountOf, frameFeatures, reachSteps, streamFrameFeatures } from "./streaming.ts";
import { buzz, tinyConfig } from "./tiny-encoder.ts";

const rate = { fps: 12.5, tokensPerFrame: 2 };

let encoder: Wav2Vec2Encoder;
beforeAll(async () => {
  encoder = await new Wav2Vec2Encoder(tinyConfig).realize();
});

/** As wav2vec2-base: norms after, a norm over time, attention to everything. */
const tinyBase = {
  ...tinyConfig,
  convBias: false,
  extractorNorm: "group",
  preNorm: false,
  attentionReach: null,
} as const satisfies AudioConfig;

const largest = (a: Float32Array, b: Float32Array): number =>
  a.reduce((max, x, i) => Math.max(max, Math.abs(x - (b[i] ?? NaN))), 0);

describe("streamFrameFeatures", () => {
  test("chunks join without a seam", async () => {
    const sound = buzz(4 * 16_000);
    const whole = await frameFeatures(encoder, sound, { ...rate, chunkSeconds: 60 });
    const pieces = await frameFeatures(encoder, sound, { ...rate, chunkSeconds: 1.04 });
    expect(pieces.data).toHaveLength(50 * 2 * featureDim(tinyConfig));
    // the same sums in other tile positions
    expect(largest(whole.data, pieces.data)).toBeLessThan(1e-5);
  });

  test("a norm over time and a bounded reach leave no seam either", async () => {
    const base = await new Wav2Vec2Encoder({ ...tinyBase, attentionReach: 6 }).realize();
    const sound = buzz(4 * 16_000);
    const whole = await frameFeatures(base, sound, { ...rate, chunkSeconds: 60 });
    const pieces = await frameFeatures(base, sound, { ...rate, chunkSeconds: 1.04 });
    // as above, and statistics in float64 against sums on the device
    expect(largest(whole.data, pieces.data)).toBeLessThan(1e-4);
  });

  test("endless attention leaves a seam below 5 % of a feature's deviation at 1 s of context", async () => {
    const base = await new Wav2Vec2Encoder(tinyBase).realize();
    const sound = buzz(4 * 16_000);
    const whole = await frameFeatures(base, sound, { ...rate, chunkSeconds: 60 });
    const pieces = await frameFeatures(base, sound, { ...rate, chunkSeconds: 1.04, contextSeconds: 1 });
    // features have unit variance; random weights attend to all sound alike, the worst case
    expect(largest(whole.data, pieces.data)).toBeLessThan(0.05);
  });

  test("without context the seam would show", async () => {
    const sound = buzz(2 * 16_000);
    const whole = await frameFeatures(encoder, sound, { ...rate, chunkSeconds: 60 });
    const pieces = await frameFeatures(encoder, sound, { ...rate, chunkSeconds: 1.04, contextSeconds: 0 });
    expect(largest(whole.data, pieces.data)).toBeGreaterThan(1e-3);
  });

  test("yields frames in order, each once", async () => {
    const seen: [number, number][] = [];
    for await (const { first, count } of streamFrameFeatures(encoder, buzz(40_000), { ...rate, chunkSeconds: 0.8 }))
      seen.push([first, count]);
    expect(seen).toEqual([
      [0, 10],
      [10, 10],
      [20, 10],
      [30, 1],
    ]);
  });

  test("holds the memory of a few chunks, however long the sound", async () => {
    const live: number[] = [];
    for await (const { count } of streamFrameFeatures(encoder, buzz(12 * 16_000), { ...rate, chunkSeconds: 0.8 })) {
      expect(count).toBe(10);
      live.push((await memory()).live);
    }
    expect(live).toHaveLength(15);
    // by the fourth chunk the plans of the first, of those with context on both sides and their buffers are there; the last is another one
    expect(Math.max(...live.slice(4, -2))).toBeLessThanOrEqual(Math.max(...live.slice(0, 4)));
  });

  test.each([0, 1, 399, 3200])("takes %i samples", async (samples) => {
    const { count, data } = await frameFeatures(encoder, buzz(samples), rate);
    expect(count).toBe(frameCountOf(samples, 12.5));
    expect(data.every(Number.isFinite)).toBe(true);
  });

  test("covers as many frames as asked, with silence where the sound has ended", async () => {
    const { count, data } = await frameFeatures(encoder, buzz(16_000), { ...rate, frames: 25 });
    expect(count).toBe(25);
    const perFrame = 2 * featureDim(tinyConfig);
    const frame = (k: number): Float32Array => data.slice(k * perFrame, (k + 1) * perFrame);
    // steps 68 … 75: out of reach of the sound, which ends at 50, and of the end at 99
    expect(largest(frame(17), frame(18))).toBeLessThan(1e-5);
    expect(largest(frame(5), frame(6))).toBeGreaterThan(1e-3);
  });

  test("knows how far its encoder reaches", () => {
    expect(reachSteps(tinyConfig)).toBe(2 * 6 + 2);
    expect(reachSteps({ ...tinyConfig, attentionReach: null })).toBeNull();
  });
});

describe("channelStatistics", () => {
  test("are mean and variance of the convolution's output", () => {
    const waveform = buzz(100);
    const weight = [0.5, -1, 2, 1, 1, 1];
    const { mean, variance } = channelStatistics(waveform, { weight, bias: [0, 3], kernel: 3, stride: 2 });
    for (const c of [0, 1]) {
      const outputs = Array.from({ length: 49 }, (_, s) =>
        [0, 1, 2].reduce((sum, i) => sum + (weight[c * 3 + i] ?? 0) * (waveform[2 * s + i] ?? 0), c * 3),
      );
      const average = outputs.reduce((a, b) => a + b, 0) / 49;
      expect(mean[c]).toBeCloseTo(average, 5);
      expect(variance[c]).toBeCloseTo(outputs.reduce((sum, y) => sum + (y - average) ** 2, 0) / 49, 5);
    }
  });
});
