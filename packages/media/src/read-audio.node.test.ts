import type { AudioCodec } from "mediabunny";
import { beforeAll, describe, expect, test } from "vitest";
import { openAudio } from "./audio-stream.ts";
import { readAudio, readAudioOriginal } from "./read-audio.ts";
import { resample } from "./resample.ts";
import { encodeAudio } from "./testing/encode-audio.ts";
import { findLag, softNoise } from "./testing/signals.ts";

/** What an encoder may add at the end to fill its last frame, seconds. */
const padding = 0.05;

describe("readAudio of compressed files", () => {
  test.each([
    // mediabunny writes neither AAC priming nor a LAME tag: the encoders' delays stay, and are as documented.
    ["m4a", "aac", 44_100, 1024],
    ["m4a", "opus", 48_000, 0],
    ["ogg", "opus", 48_000, 0],
    ["ogg", "vorbis", 44_100, 0],
    ["webm", "opus", 48_000, 0],
    ["flac", "flac", 44_100, 0],
    ["mp3", "mp3", 44_100, 1105],
  ] as const)("%s with %s at %i Hz is late by %i samples", async (container, codec: AudioCodec, rate, delay) => {
    const channels = [softNoise(rate, 1), softNoise(rate, 2)];
    const bytes = await encodeAudio(container, codec, channels, rate);
    const track = await readAudioOriginal(bytes);
    expect(track).toMatchObject({ sampleRate: rate, channels: { length: 2 } });
    const [left = new Float32Array()] = track.channels;
    expect(findLag(left, channels[0] ?? left, 1200)).toBe(delay);
    expect(Math.abs(left.length - delay - rate)).toBeLessThan(padding * rate);
    const mono = await readAudio(bytes);
    expect(mono).toMatchObject({ originalSampleRate: rate, channels: 2 });
    expect(Math.abs(mono.samples.length - delay * (16_000 / rate) - 16_000)).toBeLessThan(padding * 16_000);
  });

  test("reads the sound of a pipe of chunks twice", async () => {
    const stream = await openAudio(await encodeAudio("ogg", "opus", [softNoise(48_000, 3)], 48_000));
    const lengths: number[] = [];
    for (let pass = 0; pass < 2; pass++) {
      let length = 0;
      for await (const [plane] of stream.chunks()) length += plane?.length ?? 0;
      lengths.push(length);
    }
    await stream.close();
    expect(lengths[0]).toBe(lengths[1]);
  });
});

describe("an MP3 with a LAME tag", () => {
  const rate = 44_100;
  const sound = softNoise(rate, 5);
  let bytes = new Uint8Array();

  beforeAll(async () => {
    const untagged = await encodeAudio("mp3", "mp3", [sound], rate);
    const frames = ((await readAudioOriginal(untagged)).channels[0]?.length ?? 0) / 1152;
    const delay = 576;
    const padding = frames * 1152 - delay - rate;
    // MPEG-1 layer III, 128 kbit/s, 44.1 kHz, mono: 417 bytes, of which 4 header and 17 side information.
    const tag = new Uint8Array(417);
    tag.set([0xff, 0xfb, 0x90, 0xc4]);
    tag.set(new TextEncoder().encode("Info"), 21);
    tag.set([0, 0, 0, 1, 0, 0, frames >> 8, frames & 255], 25);
    tag.set(new TextEncoder().encode("LAME3.100"), 33);
    tag.set([delay >> 4, ((delay & 15) << 4) | (padding >> 8), padding & 255], 33 + 21);
    bytes = Uint8Array.from([...tag, ...untagged]);
  });

  test("comes out with the length that went in, and on time", async () => {
    const { channels } = await readAudioOriginal(bytes);
    expect(channels[0]).toHaveLength(rate);
    expect(findLag(channels[0] ?? sound, sound, 1200)).toBe(0);
    const { samples } = await readAudio(bytes);
    expect(findLag(samples, resample(sound, rate, 16_000), 500)).toBe(0);
  });

  test("may carry an ID3 tag before it", async () => {
    const tag = new Uint8Array(10 + 300);
    tag.set([0x49, 0x44, 0x33, 4, 0, 0, 0, 0, 2, 44]);
    const { channels } = await readAudioOriginal(Uint8Array.from([...tag, ...bytes]));
    expect(channels[0]).toHaveLength(rate);
  });

  test("is refused when it is cut short", async () => {
    await expect(readAudio(bytes.subarray(0, bytes.length / 2))).rejects.toMatchObject({ kind: "corrupt" });
  });
});
