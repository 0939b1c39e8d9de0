import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FrameSize, OmniHuman } from "@omni/human";
import { createImage, cropImage, encodeWav, readAudio, readAudioOriginal, readVideo, resizeImage } from "@omni/media";
import type { Image } from "@omni/media";
import { correlation } from "@omni/puppet";
import sharp from "sharp";
import { loadModel } from "./context.ts";
import { fitPicture } from "./picture.ts";
import { fixture, pictureKinds } from "./real-pictures.fixture.ts";
import { run } from "./run.ts";
import { testContext, testFolder } from "./testing.fixture.ts";
import type { Folder } from "./testing.fixture.ts";

/** Seconds of speech in every recording of the fixtures; of a frame of nano. */
const SPEECH = 0.7;
const FRAME = 1 / 12.5;

/** Sizes of nano's frames; the one whose shape is nearest to the picture's is to be taken. */
const square: FrameSize = { width: 64, height: 64 };
const tall: FrameSize = { width: 48, height: 80 };

let folder: Folder;
let nano: OmniHuman;
let speech: Float32Array;
beforeAll(async () => {
  folder = await testFolder();
  nano = await loadModel(null);
  const { channels, sampleRate } = await readAudioOriginal(fixture("speech.flac"));
  await writeFile(folder.at("speech.wav"), encodeWav(channels, sampleRate));
  speech = (await readAudio(fixture("speech.flac"))).samples;
});
afterAll(async () => {
  nano.dispose();
  await folder.remove();
});

/** Animates a picture at least cost and checks file, length, sound, shape and likeness; returns the frames, unenlarged. */
async function speak(
  kind: keyof typeof pictureKinds,
  sound: string,
  size: FrameSize,
  container: "mp4" | "webm",
): Promise<readonly Image[]> {
  const { file, header, seen } = pictureKinds[kind];
  const [image, out] = [folder.at("picture"), folder.at(`out.${container}`)];
  const audio = sound === "speech.wav" ? folder.at(sound) : fixture(sound);
  await writeFile(image, await file());
  expect(await sharp(image).metadata()).toMatchObject(header);

  const context = { ...testContext(), loadModel: () => Promise.resolve(nano) };
  const args = ["--image", image, "--audio", audio, "--out", out, "--steps", "1", "--guidance", "1"];
  expect(await run(["animate", ...args], context), context.ran().stderr).toBe(0);

  await expectSpeech(out);
  const frames = await framesOf(out, size);
  expectLikeness(frames, await seen(), size);
  return frames;
}

/** Both channels of the speech, as long and at the same time. */
async function expectSpeech(video: string): Promise<void> {
  const { channels, duration, samples } = await readAudio(video);
  expect(channels).toBe(2);
  expect(Math.abs(duration - SPEECH)).toBeLessThanOrEqual(FRAME);
  // measured: at least 0.995, coded twice; 0 where the sound is 10 ms late
  const both = Math.min(samples.length, speech.length);
  expect(correlation(samples.subarray(0, both), speech.subarray(0, both))).toBeGreaterThan(0.9);
}

/** Frames of a video of the speech's length, brought back to the size that they had before they were enlarged. */
async function framesOf(path: string, { width, height }: FrameSize): Promise<Image[]> {
  const video = await readVideo(path);
  const frames: Image[] = [];
  for await (const { image } of video.frames()) frames.push(resizeImage(image, width, height));
  await video.close();
  expect(Math.abs(video.duration - SPEECH)).toBeLessThanOrEqual(FRAME);
  expect(frames).toHaveLength(9);
  const enlarged = Math.ceil(256 / Math.min(width, height));
  expect([video.width, video.height]).toEqual([enlarged * width, enlarged * height]);
  return frames;
}

/** Every frame shows the picture, cut to shape and not stretched; the frames are not all the same. */
function expectLikeness(frames: readonly Image[], picture: Image, { width, height }: FrameSize): void {
  const { picture: cut } = fitPicture(picture, { width, height }, "crop");
  const stretched = resizeImage(picture, width, height);
  const contrast = difference(cut, flat(cut));
  for (const frame of frames) {
    // measured: 0.15 to 0.37, most where ink made the colours duller; a frame of one colour has about 1
    expect(difference(frame, cut) / contrast).toBeLessThan(0.5);
    // measured: 0.40 to 0.68 of it; a square picture has nothing to stretch
    const margin = difference(frame, stretched) - difference(frame, cut);
    expect(margin).toBeGreaterThanOrEqual(0.25 * difference(cut, stretched));
  }
  const [first, last] = [frames[0], frames.at(-1)];
  // measured: 3.6 to 6
  expect(first && last && difference(first, last)).toBeGreaterThan(1);
}

/** Mean |a - b| of the colours, of 255. */
function difference(a: Image, b: Image): number {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) if (i % 4 < 3) sum += Math.abs((a.data[i] ?? 0) - (b.data[i] ?? 0));
  return sum / (0.75 * a.data.length);
}

/** A picture's mean colour, everywhere. */
function flat(image: Image): Image {
  const [red = 0, green = 0, blue = 0] = resizeImage(image, 1, 1).data;
  return createImage(image.width, image.height, [red, green, blue]);
}

describe("omni animate with files as people have them", () => {
  test.each([
    ["a photograph", "speech.wav", square, "mp4"],
    ["a taller photograph", "speech.mp3", square, "webm"],
    ["a JPEG of odd sides", "speech.m4a", tall, "mp4"],
    ["a 16-bit PNG", "speech.ogg", square, "mp4"],
    ["a grey PNG", "speech.opus", square, "mp4"],
    ["a CMYK JPEG", "speech.flac", square, "mp4"],
    ["a JPEG that lies on its side", "speech.wav", tall, "webm"],
  ] as const)("%s speaks %s", async (kind, sound, size, container) => {
    await speak(kind, sound, size, container);
  });

  test("a cut-out with transparency speaks before white", async () => {
    for (const frame of await speak("a cut-out with transparency", "speech.mp3", square, "mp4"))
      for (const x of [0, 56])
        for (const y of [0, 56]) {
          const corner = cropImage(frame, x, y, 8, 8);
          // measured: at most 16.4, what guidance stirs up; where transparency is ignored, black shows: 255
          expect(difference(corner, createImage(8, 8, [255, 255, 255]))).toBeLessThan(64);
        }
  });
});
