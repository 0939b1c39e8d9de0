import { ctcLoss, grad, realize, Rng, tensor } from "@omni/core";
import { describe, expect, test } from "vitest";
import { bestPath, ctcVocabulary, decodeCtc, ENGLISH_LETTERS } from "./ctc-decode.ts";
import { Wav2Vec2Ctc } from "./ctc.ts";
import { buzz, tinyConfig } from "./tiny-encoder.ts";

const letters = ctcVocabulary({ "<pad>": 0, "<unk>": 1, "|": 2, A: 3, B: 4 });
/** Scores whose best path is the classes given. */
const path = (...classes: number[]): Float32Array =>
  Float32Array.from(classes.flatMap((c) => Array.from({ length: 5 }, (_, i) => Number(i === c))));

describe("decodeCtc", () => {
  // Graves et al. 2006, section 3.1: merge repeats, then drop blanks
  test.each([
    [[3, 3, 4], "AB"],
    [[3, 0, 3], "AA"],
    [[0, 3, 3, 0, 0, 4], "AB"],
    [[2, 3, 2, 2, 0, 2, 4, 2], "A B"],
    [[3, 1, 4], "AB"],
    [[0, 0], ""],
  ])("path %j spells %j", (classes, text) => {
    expect(decodeCtc(path(...classes), letters)).toBe(text);
  });

  test("takes the first of equal scores", () => {
    expect(bestPath([0, 1, 1], 3)).toEqual([1]);
  });

  test("knows the 32 symbols of the English checkpoints", () => {
    expect(ENGLISH_LETTERS.symbols).toHaveLength(32);
    // vocab.json of facebook/wav2vec2-base-960h: "E": 5, "Z": 31
    expect([ENGLISH_LETTERS.symbols[5], ENGLISH_LETTERS.symbols[31]]).toEqual(["E", "Z"]);
  });

  test("refuses a vocabulary with a gap or without a blank", () => {
    expect(() => ctcVocabulary({ "<pad>": 0, A: 2 })).toThrow('classes must count from 0 on, got 2 for "A"');
    expect(() => ctcVocabulary({ A: 0 })).toThrow('must have the blank "<pad>"');
  });
});

describe("Wav2Vec2Ctc", () => {
  const waveform = tensor(buzz(4000), { shape: [1, 4000] });

  test("scores each symbol at each step, and trains with core's ctcLoss", async () => {
    const network = new Wav2Vec2Ctc(tinyConfig, { vocabSize: 5, rng: new Rng(3) });
    const steps = 12; // ⌊(4000 - 400) / 320⌋ + 1
    expect(network.forward(waveform).shape).toEqual([1, steps, 5]);
    const one = (n: number) => tensor(Int32Array.of(n));
    const targets = tensor(Int32Array.of(3, 4), { shape: [1, 2] });
    const loss = ctcLoss(network.logProbabilities(waveform), targets, one(steps), one(2));
    const [slope] = grad(loss, [network.lm_head.weight]);
    if (!slope) throw new Error("a gradient is missing");
    const size = slope.abs().max();
    await realize([loss, size]);
    expect(await loss.item()).toBeGreaterThan(0);
    expect(await size.item()).toBeGreaterThan(0);
  });

  test("hidden steps take the learned vector, others keep their features", async () => {
    const { wav2vec2 } = new Wav2Vec2Ctc({ ...tinyConfig, attentionReach: 1 }, { rng: new Rng(3) });
    const hidden = tensor(
      Float32Array.from({ length: 12 }, (_, i) => Number(i === 0)),
      { shape: [1, 12] },
    );
    const [plain, gapped] = [wav2vec2.forward(waveform), wav2vec2.forward(waveform, { hidden })];
    const [a, b] = [plain.hidden.at(-1), gapped.hidden.at(-1)];
    if (!a || !b) throw new Error("a state is missing");
    const change = await a.sub(b).abs().max({ axis: 2 }).data();
    expect(change[0]).toBeGreaterThan(1e-3);
    // 2 layers of reach 1 and a position kernel of 5: 4 steps
    expect(Math.max(...change.slice(5))).toBeLessThan(1e-5);
  });
});
