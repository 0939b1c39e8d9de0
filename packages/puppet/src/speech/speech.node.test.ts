import { beforeAll, describe, expect, test } from "vitest";
import { clip } from "../clip.ts";
import { measureMouthOpening } from "../mouth-measure.ts";
import { correlation } from "../correlation.ts";
import { preparePerformance } from "../performance.ts";
import { openSynthesizer, SpeechError } from "./synthesizer.ts";
import type { SpeechSynthesizer } from "./synthesizer.ts";
import { drawUtterance, drawVoice, UtteranceBank } from "./utterance.ts";
import { curveLead, curveRate } from "./visemes.ts";

let synthesizer: SpeechSynthesizer;

beforeAll(async () => {
  synthesizer = await openSynthesizer();
});

describe("synthesizer", () => {
  test("speaks the same whatever it spoke before, in every instance", async () => {
    const request = { text: "The quick brown fox.", voice: "en-us+f3", rate: 160, pitch: 55 };
    const first = synthesizer.speak(request);
    synthesizer.speak({ ...request, text: "Guten Morgen.", voice: "de" });
    expect(synthesizer.speak(request)).toEqual(first);
    expect((await openSynthesizer()).speak(request)).toEqual(first);
  });

  test("gives phonemes in order that end with the sound", () => {
    const { samples, phonemes } = synthesizer.speak({
      text: "Hello there, my friend.",
      voice: "en-us",
      rate: 150,
      pitch: 50,
    });
    phonemes.forEach(({ start, end }, i) => {
      expect(end).toBeGreaterThanOrEqual(start);
      expect(start).toBeGreaterThanOrEqual(phonemes[i - 1]?.end ?? 0);
    });
    expect(Math.abs((phonemes.at(-1)?.end ?? 0) - samples.length / 16000)).toBeLessThan(0.005);
    expect(phonemes.map(({ ipa }) => ipa)).toContain("ɛ");
  });

  test("times stops by their silence and vowels by their sound", () => {
    const { samples, phonemes } = synthesizer.speak({
      text: "A happy paper cup, a tippy taper.",
      voice: "en-us",
      rate: 140,
      pitch: 50,
    });
    const level = (from: number, to: number): number => {
      let sum = 0;
      const [a, b] = [Math.round(from * 16000), Math.round(to * 16000)];
      for (let i = a; i < b; i++) sum += (samples[i] ?? 0) ** 2;
      return Math.sqrt(sum / Math.max(1, b - a));
    };
    let stops = 0;
    phonemes.forEach(({ ipa, start, end }, i) => {
      // The occlusion: from 8 ms (the resampler's and the voice's ringing) after the start, 15 ms long.
      if ((ipa === "p" || ipa === "t") && i > 0 && phonemes[i - 1]?.ipa !== "") {
        expect(level(start + 0.008, start + 0.023)).toBeLessThan(0.01);
        stops++;
      }
      if (ipa === "æ" || ipa === "eɪ") expect(level(start + 0.02, end - 0.02)).toBeGreaterThan(0.05);
    });
    expect(stops).toBeGreaterThan(4);
  });

  test("names a voice that it does not know", () => {
    expect(() => synthesizer.speak({ text: "a", voice: "xx-none", rate: 150, pitch: 50 })).toThrow(SpeechError);
  });
});

describe("visemes", () => {
  test("shut the mouth in silence and for p, b, m", () => {
    const utterance = drawUtterance(synthesizer, 4, drawVoice(2, "man", "en"), "train");
    const { open } = utterance.curves;
    const at = (time: number): number => open[Math.round((time + curveLead) * curveRate)] ?? 0;
    expect(at(-0.119)).toBe(0);
    expect(open.at(-1)).toBe(0);
    for (const { ipa, start, end } of utterance.phonemes) {
      if (!/^[pbm]$/.test(ipa) || end - start < 0.05) continue;
      let least = 1;
      for (let t = start; t <= end; t += 0.005) least = Math.min(least, at(t));
      expect(least, `${ipa} at ${start}`).toBeLessThan(0.06);
    }
    expect(Math.max(...open)).toBeGreaterThan(0.5);
  });
});

describe("spoken clips", () => {
  test("open the mouth with the sound, shut it in silence, and show it", () => {
    const loudness: number[] = [];
    const opening: number[] = [];
    const scores: number[] = [];
    for (let seed = 0; seed < 6; seed++) {
      const made = clip(seed, {
        synthesizer,
        framing: "portrait",
        width: 64,
        lipSyncRate: 1,
        noiseRate: 0,
        silentRate: 0,
      });
      const size = 64 * 64 * 3;
      const measured = made.mouthWindows.map((window, i) =>
        measureMouthOpening({ width: 64, height: 64, data: made.video.subarray(i * size, (i + 1) * size) }, window),
      );
      scores.push(correlation(measured, made.mouthOpening));
      const peak = Math.max(...made.audio.map(Math.abs));
      for (let i = 0; i < made.frames; i++) {
        let sum = 0;
        let loudest = 0;
        for (let j = Math.max(0, i * 1280 - 1920); j < (i + 1) * 1280 + 1920; j++) {
          loudest = Math.max(loudest, Math.abs(made.audio[j] ?? 0) / peak);
          if (j >= i * 1280 && j < (i + 1) * 1280) sum += ((made.audio[j] ?? 0) / peak) ** 2;
        }
        loudness.push(Math.sqrt(sum / 1280));
        opening.push(made.mouthOpening[i] ?? 0);
        if (loudest < 0.002) expect(made.mouthOpening[i]).toBe(0);
      }
    }
    // Loud consonants with a narrow mouth and quiet open vowels keep this well under one.
    expect(correlation(loudness, opening)).toBeGreaterThan(0.6);
    expect(Math.min(...scores)).toBeGreaterThan(0.97);
  });

  test("with nobody speaking are silent, the mouth shut, and fit for the audio condition", () => {
    const options = { synthesizer, width: 64, lipSyncRate: 1, noiseRate: 0, silentRate: 1 };
    const made = clip(3, options);
    expect(made.lipSync).toBe(true);
    expect(made.audio.every((value) => value === 0)).toBe(true);
    expect(Math.max(...made.mouthOpening)).toBe(0);
    const noisy = clip(3, { ...options, noiseRate: 1 });
    expect(noisy.audio.some((value) => value !== 0)).toBe(true);
    expect(Math.max(...noisy.mouthOpening)).toBe(0);
  });

  test("are flagged where the sound does not fit", () => {
    const sounds = new Set<string>();
    const bank = new UtteranceBank(4);
    for (let seed = 0; seed < 30; seed++) {
      const made = preparePerformance(seed, { synthesizer, bank, frames: 5, lipSyncRate: 0.3 });
      expect(made.lipSync).toBe(made.sound === "clean" || made.sound === "noise");
      if (made.sound === "muted") expect(Math.max(...made.audio)).toBe(0);
      sounds.add(made.sound);
    }
    expect([...sounds].sort()).toEqual(["clean", "drowned", "muted", "noise", "replaced"]);
  });

  test("hold a minute of speech", () => {
    const made = preparePerformance(1, { synthesizer, bank: new UtteranceBank(4), frames: 750 });
    expect(made.audio).toHaveLength(60 * 16000);
    expect(made.track.placed.length).toBeGreaterThan(10);
  });
});
