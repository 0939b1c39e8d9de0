import { Rng, tensor } from "@omni/core";
import { expect, test } from "vitest";
import { presets } from "./config.ts";
import { Wav2Vec2Ctc } from "./ctc.ts";
import { buzz } from "./tiny-encoder.ts";

test("wav2vec2-base's extractor, positions of 128 taps, a layer and the head run at full width", async () => {
  const network = await new Wav2Vec2Ctc({ ...presets.base, layers: 1 }, { rng: new Rng(1) }).realize();
  const scores = Array.from(await network.forward(tensor(buzz(4000), { shape: [1, 4000] })).data());
  expect(scores).toHaveLength(12 * 32);
  expect(scores.every(Number.isFinite)).toBe(true);
  // the last norm leaves unit variance; a head of uniform ±1/√768 makes a third of it
  const mean = scores.reduce((sum, x) => sum + x, 0) / scores.length;
  const variance = scores.reduce((sum, x) => sum + (x - mean) ** 2, 0) / scores.length;
  expect(variance).toBeGreaterThan(0.1);
  expect(variance).toBeLessThan(1);
});
