import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openAudio } from "./audio-stream.ts";
import { type Image, type Rgb, createImage } from "./image.ts";
import { readAudioOriginal } from "./read-audio.ts";
import { readVideo } from "./read-video.ts";
import { clicks, findClicks } from "./testing/signals.ts";
import { createVideoWriter } from "./video-writer.ts";
import { encodeWav } from "./wav.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "omni-video-"));
});
afterAll(() => rm(folder, { recursive: true }));

const blue: Rgb = [20, 60, 120];

async function framesOf(source: string | Uint8Array): Promise<{ time: number; image: Image }[]> {
  const video = await readVideo(source);
  const frames: { time: number; image: Image }[] = [];
  for await (const frame of video.frames()) frames.push(frame);
  await video.close();
  return frames;
}

describe("createVideoWriter", () => {
  describe.each(["mp4", "webm"])("%s", (extension) => {
    test.each([
      [12.5, 44_100],
      [25, 16_000],
      [25, 48_000],
    ])("keeps flash and click together at %d fps and %i Hz", async (fps, sampleRate) => {
      const at = [0.24, 0.8, 1.36];
      const seconds = 1.6;
      const path = join(folder, `click-${fps}-${sampleRate}.${extension}`);
      const sound = clicks(seconds, sampleRate, at);
      const audio = { channels: [sound, sound], sampleRate };
      const writer = await createVideoWriter({ path, width: 64, height: 64, fps, audio, scale: 1 });
      for (let frame = 0; frame < seconds * fps; frame++) {
        const isFlash = at.some((time) => frame === Math.round(time * fps));
        await writer.writeFrame(createImage(64, 64, isFlash ? [255, 255, 255] : blue));
      }
      const written = await writer.finish();
      expect(written).toMatchObject({ frames: seconds * fps, duration: seconds });

      const frames = await framesOf(path);
      expect(frames).toHaveLength(seconds * fps);
      const flashes = frames.filter(({ image }) => (image.data[0] ?? 0) > 200).map(({ time }) => time);
      const track = await readAudioOriginal(path);
      const heard = findClicks(track.channels[0] ?? sound, track.sampleRate);
      expect(flashes).toHaveLength(3);
      expect(heard).toHaveLength(3);
      // A frame lasts 40 or 80 ms; the encoders' delays, uncompensated, would be 21 ms (AAC) and 6.5 ms (Opus).
      for (let i = 0; i < 3; i++) expect(Math.abs((heard[i] ?? 0) - (flashes[i] ?? 0))).toBeLessThan(0.003);
      const length = (track.channels[0]?.length ?? 0) / track.sampleRate;
      expect(Math.abs(length - seconds)).toBeLessThan(1 / fps);
    });

    test("decodes to the frames that were written", async () => {
      const writer = await createVideoWriter({
        target: "memory",
        container: extensionOf(extension),
        width: 64,
        height: 48,
        fps: 25,
        scale: 2,
      });
      const image = createImage(64, 48, blue);
      for (let y = 8; y < 40; y++) for (let x = 8; x < 30; x++) image.data.set([230, 180, 90], 4 * (y * 64 + x));
      for (let frame = 0; frame < 5; frame++) await writer.writeFrame(image);
      const { bytes = new Uint8Array(), width, height } = await writer.finish();
      expect([width, height]).toEqual([128, 96]);
      const frames = await framesOf(bytes);
      expect(frames.map(({ time }) => Math.round(time * 25))).toEqual([0, 1, 2, 3, 4]);
      for (const { image: decoded } of frames) {
        for (const [x, y, colour] of [
          [40, 40, [230, 180, 90]],
          [100, 60, blue],
        ] as [number, number, Rgb][]) {
          for (let c = 0; c < 3; c++) {
            // Constant quality: a flat area is off by a quantisation step at most.
            expect(Math.abs((decoded.data[4 * (y * 128 + x) + c] ?? 0) - (colour[c] ?? 0))).toBeLessThanOrEqual(6);
          }
        }
      }
    });

    test("pads odd sides and takes RGB as well as RGBA", async () => {
      const path = join(folder, `odd.${extension}`);
      const writer = await createVideoWriter({ path, width: 353, height: 641, fps: 25 });
      const rgb = new Uint8Array(3 * 353 * 641).fill(200);
      await writer.writeFrame(rgb);
      await writer.writeFrame(new Uint8ClampedArray(4 * 353 * 641).fill(200));
      expect(await writer.finish()).toMatchObject({ width: 354, height: 642, frames: 2, audioCodec: undefined });
      const [first] = await framesOf(path);
      expect(first?.image).toMatchObject({ width: 354, height: 642 });
      const corner = first?.image.data.subarray(-4) ?? [];
      for (const value of [...corner].slice(0, 3)) expect(Math.abs(value - 200)).toBeLessThanOrEqual(4);
    });

    test("finished early it is playable, with the sound cut to its length", async () => {
      const path = join(folder, `early.${extension}`);
      const audio = { channels: [clicks(10, 16_000, [0.4, 5])], sampleRate: 16_000 };
      const writer = await createVideoWriter({ path, width: 64, height: 64, fps: 12.5, audio });
      for (let frame = 0; frame < 10; frame++) await writer.writeFrame(createImage(64, 64, blue));
      expect(await writer.finish()).toMatchObject({ frames: 10, duration: 0.8, width: 256, height: 256 });
      expect(await framesOf(path)).toHaveLength(10);
      const track = await readAudioOriginal(path);
      const length = (track.channels[0]?.length ?? 0) / track.sampleRate;
      expect(Math.abs(length - 0.8)).toBeLessThan(0.08);
      expect(findClicks(track.channels[0] ?? new Float32Array(), track.sampleRate)).toHaveLength(1);
    });
  });

  test("enlarges a small frame to a side of at least 256, with hard edges on request", async () => {
    const writer = await createVideoWriter({
      target: "memory",
      container: "mp4",
      width: 48,
      height: 80,
      fps: 25,
      kernel: "nearest",
    });
    await writer.writeFrame(createImage(48, 80, blue));
    expect(await writer.finish()).toMatchObject({ width: 288, height: 480 });
  });

  test("takes sound that is decoded while the video is written, and sound shorter than it", async () => {
    const audio = await openAudio(encodeWav([clicks(0.5, 22_050, [0.2])], 22_050));
    const writer = await createVideoWriter({
      target: "memory",
      container: "mp4",
      width: 64,
      height: 64,
      fps: 25,
      audio,
    });
    for (let frame = 0; frame < 25; frame++) await writer.writeFrame(createImage(64, 64, blue));
    const { bytes = new Uint8Array(), audioCodec } = await writer.finish();
    await audio.close();
    expect(audioCodec).toBe("aac");
    const track = await readAudioOriginal(bytes);
    expect(track).toMatchObject({ sampleRate: 48_000, channels: { length: 1 } });
    expect(findClicks(track.channels[0] ?? new Float32Array(), 48_000)[0]).toBeCloseTo(0.2, 2);
  });

  test("writes frames in the order of the calls, without waiting between them", async () => {
    const writer = await createVideoWriter({
      target: "memory",
      container: "mp4",
      width: 64,
      height: 64,
      fps: 25,
      scale: 1,
    });
    const greys = [20, 80, 140, 200];
    void greys.map((grey) => writer.writeFrame(createImage(64, 64, [grey, grey, grey])));
    const { bytes = new Uint8Array(), frames } = await writer.finish();
    expect(frames).toBe(4);
    const decoded = await framesOf(bytes);
    expect(decoded.map(({ image }) => Math.round((image.data[0] ?? 0) / 60))).toEqual([0, 1, 2, 3]);
  });

  test("leaves nothing after abort, and replaces an older file only at the end", async () => {
    const path = join(folder, "abort.mp4");
    const older = await createVideoWriter({ path, width: 64, height: 64, fps: 25 });
    await older.writeFrame(createImage(64, 64, blue));
    await older.finish();
    const before = await readFile(path);
    const writer = await createVideoWriter({ path, width: 64, height: 64, fps: 25 });
    await writer.writeFrame(createImage(64, 64, [200, 0, 0]));
    await writer.abort();
    await writer.abort();
    expect(await readFile(path)).toEqual(before);
    expect((await readdir(folder)).filter((name) => name.endsWith(".part"))).toEqual([]);
    await expect(writer.writeFrame(createImage(64, 64))).rejects.toThrow("already finished or given up");
  });
});

function extensionOf(extension: string): "mp4" | "webm" {
  return extension === "webm" ? "webm" : "mp4";
}
