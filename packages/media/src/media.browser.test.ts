import { describe, expect, test } from "vitest";
import { type Rgb, createImage } from "./image.ts";
import { readAudio, readAudioOriginal } from "./read-audio.ts";
import { readImage } from "./read-image.ts";
import { readVideo } from "./read-video.ts";
import { clicks, findClicks, noise } from "./testing/signals.ts";
import { createVideoWriter } from "./video-writer.ts";
import { encodeWav } from "./wav.ts";
import { encodeImage } from "./write-image.ts";

// What must be the same everywhere is checked here too.
import "./read-audio.test.ts";
import "./resample.test.ts";
import "./resize-image.test.ts";

const blue: Rgb = [20, 60, 120];

describe("in a browser", () => {
  test("a PNG keeps every value of an opaque picture", async () => {
    const image = createImage(5, 3, blue);
    for (let i = 0; i < image.data.length; i += 4) image.data[i] = i;
    const read = await readImage(await encodeImage(image));
    expect([...read.data]).toEqual([...image.data]);
  });

  test("damaged files and wrong kinds are refused", async () => {
    const png = await encodeImage(createImage(64, 64, blue));
    await expect(readImage(png.subarray(0, 60))).rejects.toMatchObject({ name: "MediaError", kind: "corrupt" });
    await expect(readImage(new TextEncoder().encode("text"))).rejects.toMatchObject({ kind: "unsupported" });
    await expect(readAudio(new Blob([]))).rejects.toMatchObject({ kind: "empty" });
    await expect(readImage("/no-such-picture.png")).rejects.toMatchObject({ name: "MediaError" });
  });

  test("a WAV is read as in Node", async () => {
    const samples = noise(4800, 1);
    expect((await readAudio(encodeWav([samples], 16_000))).samples).toEqual(samples);
  });

  test.each(["mp4", "webm"] as const)("a video %s keeps flash and click together", async (container) => {
    const at = [0.24, 0.8, 1.36];
    const sound = clicks(1.6, 44_100, at);
    const audio = { channels: [sound], sampleRate: 44_100 };
    const writer = await createVideoWriter({ target: "memory", container, width: 64, height: 64, fps: 25, audio });
    for (let frame = 0; frame < 40; frame++) {
      const isFlash = at.some((time) => frame === Math.round(time * 25));
      await writer.writeFrame(createImage(64, 64, isFlash ? [255, 255, 255] : blue));
    }
    const { bytes = new Uint8Array(), width } = await writer.finish();
    expect(width).toBe(256);

    const video = await readVideo(bytes);
    const flashes: number[] = [];
    let count = 0;
    for await (const { time, image } of video.frames()) {
      count++;
      if ((image.data[0] ?? 0) > 200) flashes.push(time);
    }
    await video.close();
    expect(count).toBe(40);
    const track = await readAudioOriginal(bytes);
    const heard = findClicks(track.channels[0] ?? sound, track.sampleRate);
    expect([flashes.length, heard.length]).toEqual([3, 3]);
    for (let i = 0; i < 3; i++) expect(Math.abs((heard[i] ?? 0) - (flashes[i] ?? 0))).toBeLessThan(0.04);
  });
});
