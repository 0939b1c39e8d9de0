import { tensor } from "@omni/core";
import { describe, expect, test } from "vitest";
import { melFilters, roundedMelFilters } from "./mel-filters.ts";
import { melSpectrogram, WAV2LIP_MEL } from "./mel-spectrogram.ts";
import { mfcc, SYNCNET_MFCC } from "./mfcc.ts";
import { sincResample } from "./sinc-resample.ts";
import { magnitude, preEmphasized, spectrum } from "./spectrum.ts";

const RATE = 16_000;
const tone = (hz: number, samples: number, rate = RATE): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: samples }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rate));

/** Index of the largest number. */
const peak = (values: ArrayLike<number>): number => {
  const list = Array.from(values);
  return list.indexOf(Math.max(...list));
};

describe("spectrum", () => {
  test("a tone stands at its frequency, half the window's sum high", async () => {
    // bin 16 of 256 at 16 kHz is 1 kHz; a Hann window of 256 sums to 128
    const amplitude = magnitude(spectrum(tensor(tone(1000, 1024)), { size: 256, hop: 64, ends: "none" }));
    const column = await amplitude.slice(1, 3, 4).data();
    expect(peak(column)).toBe(16);
    expect(column[16]).toBeCloseTo(64, 3);
  });

  test("centred frames begin at the first sample, others with the first whole frame", () => {
    const wave = tensor(tone(100, 1000));
    const frames = (ends: "reflect" | "zeros" | "none") => spectrum(wave, { size: 256, hop: 64, ends }).re.shape;
    expect(frames("reflect")).toEqual([129, 16]); // 1 + 1000 / 64
    expect(frames("zeros")).toEqual([129, 16]);
    expect(frames("none")).toEqual([129, 12]); // 1 + (1000 - 256) / 64
  });

  test("a window shorter than the transform lies in its middle", async () => {
    // one sample at the window's centre has weight 1, one outside has none
    const pulse = (at: number) => tensor(Float32Array.from({ length: 256 }, (_, i) => Number(i === at)));
    const height = (at: number) =>
      magnitude(spectrum(pulse(at), { size: 256, hop: 64, window: 128, ends: "none" }))
        .max()
        .item();
    expect(await height(128)).toBeCloseTo(1, 5);
    expect(await height(63)).toBeCloseTo(0, 5);
  });

  test("pre-emphasis takes the sample before off", async () => {
    expect([...(await preEmphasized(tensor([1, 2, 4]), 0.5).data())]).toEqual([1, 1.5, 3]);
  });
});

describe("melFilters", () => {
  test("are triangles of one area", async () => {
    const sums = await melFilters({ ...WAV2LIP_MEL, size: 8000, mels: 20 })
      .sum({ axis: 1 })
      .data();
    // of a fine transform: area 1 in Hz, 2 Hz a bin
    for (const sum of sums) expect(sum * 2).toBeCloseTo(1, 2);
  });

  test("rounded ones reach 1 at their middle and overlap to 1 between", async () => {
    const filters = await roundedMelFilters(SYNCNET_MFCC).data();
    for (let m = 0; m < SYNCNET_MFCC.mels; m++) expect(Math.max(...filters.slice(m * 257, (m + 1) * 257))).toBe(1);
    const at = (bin: number): number => {
      let sum = 0;
      for (let m = 0; m < SYNCNET_MFCC.mels; m++) sum += filters[m * 257 + bin] ?? 0;
      return sum;
    };
    expect(at(100)).toBeCloseTo(1, 6);
  });
});

describe("melSpectrogram", () => {
  test("silence is the lowest number, and a louder sound is higher", async () => {
    const level = async (gain: number) =>
      melSpectrogram(tensor(tone(440, 4000).map((x) => gain * x)))
        .mel.max()
        .item();
    expect(await level(0)).toBe(-4);
    // ten times the amplitude is 20 dB of 100 in a range of 8
    expect((await level(0.5)) - (await level(0.05))).toBeCloseTo(1.6, 3);
  });
});

describe("mfcc", () => {
  test("gives 13 coefficients at 100 Hz, the last frame filled up", () => {
    const { mfcc: cepstrum, bands } = mfcc(tensor(tone(440, 8000)));
    expect(cepstrum.shape).toEqual([49, 13]); // 1 + ⌈(8000 - 400) / 160⌉
    expect(bands.shape).toEqual([49, 26]);
  });

  test("twice the amplitude adds ln 4 to the energy and nothing to the shape", async () => {
    const of = async (gain: number) => mfcc(tensor(tone(440, 800).map((x) => 1000 * gain * x))).mfcc.data();
    const [soft, loud] = [await of(1), await of(2)];
    expect((loud[0] ?? 0) - (soft[0] ?? 0)).toBeCloseTo(Math.log(4), 3);
    expect((loud[1] ?? 0) - (soft[1] ?? 0)).toBeCloseTo(0, 2);
  });

  test("silence has finite coefficients", async () => {
    const values = await mfcc(tensor(new Float32Array(800))).mfcc.data();
    expect(values.every(Number.isFinite)).toBe(true);
  });
});

describe("sincResample", () => {
  test.each([
    [44_100, 16_000],
    [8000, 16_000],
    [48_000, 16_000],
  ])("a tone from %i Hz to %i Hz stays that tone", async (from, to) => {
    const y = await sincResample(tensor(tone(300, from / 20, from)), from, to).data();
    expect(y).toHaveLength(to / 20);
    // away from the ends; the Hann-windowed sinc of 6 zeros ripples by about 1 %
    for (let i = 100; i < y.length - 100; i++)
      expect(Math.abs((y[i] ?? 0) - Math.sin((2 * Math.PI * 300 * i) / to))).toBeLessThan(0.02);
  });

  test("a tone above the new rate's half is gone", async () => {
    const y = sincResample(tensor(tone(15_000, 2400, 48_000)), 48_000, 16_000);
    expect(await y.slice(0, 100, 700).abs().max().item()).toBeLessThan(0.02);
  });

  test("takes a batch, and leaves sound of the right rate alone", () => {
    const batch = tensor(new Float32Array(2000), { shape: [2, 1000] });
    expect(sincResample(batch, 44_100, 16_000).shape).toEqual([2, 363]);
    expect(sincResample(batch, RATE, RATE)).toBe(batch);
  });

  test("refuses a rate that is no whole number", () => {
    expect(() => sincResample(tensor([0]), 44_100.5, 16_000)).toThrow("whole numbers above 0, got 44100.5");
  });
});
