import { describe, expect, test } from "vitest";
import { readAudio, readAudioOriginal } from "./read-audio.ts";
import { resample } from "./resample.ts";
import { noise, signalToError, softNoise } from "./testing/signals.ts";
import { type WavFormat, wavBytes } from "./testing/wav-bytes.ts";
import { encodeWav } from "./wav.ts";

describe("readAudio", () => {
  test.each([
    ["u8", 35],
    ["s16", 80],
    ["s24", 120],
    ["s32", 120],
    ["f32", 140],
    ["f64", 140],
  ] as [WavFormat, number][])("reads WAV %s to its own precision (%d dB)", async (format, decibels) => {
    for (const extensible of [false, true]) {
      const left = noise(2000, 1);
      const right = noise(2000, 2);
      const track = await readAudioOriginal(wavBytes([left, right], 44_100, format, { extensible }));
      expect(track).toMatchObject({ sampleRate: 44_100 });
      expect(signalToError(track.channels[0] ?? left.map(() => 9), left)).toBeGreaterThan(decibels);
      expect(signalToError(track.channels[1] ?? left.map(() => 9), right)).toBeGreaterThan(decibels);
    }
  });

  test.each([8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000])("gives 16 kHz mono from %i Hz", async (rate) => {
    const left = softNoise(rate, 3);
    const right = softNoise(rate, 4);
    const audio = await readAudio(encodeWav([left, right], rate));
    expect(audio).toMatchObject({ sampleRate: 16_000, duration: 1, originalSampleRate: rate, channels: 2 });
    const mean = left.map((x, i) => (x + (right[i] ?? 0)) / 2);
    const expected = resample(mean, rate, 16_000);
    expect(audio.samples).toHaveLength(16_000);
    expect(signalToError(audio.samples, expected)).toBeGreaterThan(120);
  });

  test("reads a WAV whose sizes a pipe left open", async () => {
    const bytes = wavBytes([noise(1000, 5)], 16_000, "s16", { declaredSize: 0xffff_ffff });
    expect((await readAudio(bytes)).samples).toHaveLength(1000);
  });

  test("takes a Blob, and a view into a larger buffer", async () => {
    const bytes = wavBytes([noise(1000, 6)], 16_000, "s16");
    const inside = new Uint8Array(bytes.length + 7);
    inside.set(bytes, 7);
    expect((await readAudio(new Blob([Uint8Array.from(bytes)]))).samples).toHaveLength(1000);
    expect((await readAudio(inside.subarray(7))).samples).toHaveLength(1000);
  });

  test("makes silence of what is no number", async () => {
    const samples = Float32Array.of(0.5, NaN, Infinity, -0.5);
    expect([...(await readAudio(encodeWav([samples], 16_000))).samples]).toEqual([0.5, 0, 0, -0.5]);
  });
});
