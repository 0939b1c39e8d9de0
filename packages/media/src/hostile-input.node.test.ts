import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createImage } from "./image.ts";
import { MediaError, type MediaErrorKind } from "./media-error.ts";
import { readAudio } from "./read-audio.ts";
import { readImage } from "./read-image.ts";
import { readVideo } from "./read-video.ts";
import { encodeAudio } from "./testing/encode-audio.ts";
import { noise, softNoise } from "./testing/signals.ts";
import { wavBytes } from "./testing/wav-bytes.ts";
import { type VideoDestination, type VideoSettings, createVideoWriter } from "./video-writer.ts";
import { encodeWav } from "./wav.ts";
import { writeAnimation, writeImage } from "./write-image.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "omni-hostile-"));
  await mkdir(join(folder, "folder.mp4"));
});
afterAll(() => rm(folder, { recursive: true }));

async function failure(work: Promise<unknown>): Promise<MediaError> {
  const error: unknown = await work.then(
    () => "no error",
    (reason: unknown) => reason,
  );
  if (!(error instanceof MediaError)) throw new Error(`expected a MediaError, got ${String(error)}`);
  expect(error.message).not.toContain("\n");
  // One line that says what to do: a statement and, after a semicolon or colon, advice.
  expect(error.message).toMatch(/: .+[;:] .+/);
  return error;
}

const text = new TextEncoder().encode("this is not a recording\n".repeat(9));
const random = Uint8Array.from(noise(50_000, 9, 127), (x) => x + 128);
const half = (bytes: Uint8Array) => bytes.subarray(0, Math.floor(bytes.length / 2));
const seconds = 48_000;
const photo = () => sharp(random.subarray(0, 30_000), { raw: { width: 100, height: 100, channels: 3 } });
const inMemory = (container: "mp4" | "webm") => videoBytes({ target: "memory", container });

async function videoBytes(destination: VideoDestination, settings: Partial<VideoSettings> = {}): Promise<Uint8Array> {
  const writer = await createVideoWriter({ width: 64, height: 64, fps: 25, scale: 1, ...settings, ...destination });
  for (let frame = 0; frame < 30; frame++) {
    const data = Uint8ClampedArray.from(noise(4 * 64 * 64, frame + 1, 127), (x) => x + 128);
    await writer.writeFrame({ width: 64, height: 64, data });
  }
  return (await writer.finish()).bytes ?? new Uint8Array();
}

describe("reading", () => {
  test.each<[string, () => Uint8Array | Promise<Uint8Array>, MediaErrorKind]>([
    ["an empty file", () => new Uint8Array(), "empty"],
    ["text", () => text, "unsupported"],
    ["a recording", () => encodeWav([noise(100, 1)], 16_000), "unsupported"],
    ["random bytes", () => random, "unsupported"],
    ["half a PNG", async () => half(await photo().png().toBuffer()), "corrupt"],
    ["half a JPEG", async () => half(await photo().jpeg().toBuffer()), "corrupt"],
    ["half a WebP", async () => half(await photo().webp().toBuffer()), "corrupt"],
    ["half an AVIF", async () => half(await photo().avif().toBuffer()), "corrupt"],
    ["a PNG signature alone", () => Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10), "corrupt"],
    ["30,000 x 20,000 pixels", () => hugePng(30_000, 20_000), "too-large"],
    ["an SVG", () => new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg"/>'), "unsupported"],
  ])("a picture that is %s is refused", async (_, make, kind) => {
    const path = join(folder, "picture.png");
    await writeFile(path, await make());
    const error = await failure(readImage(path));
    expect(error).toMatchObject({ kind, source: path });
  });

  test.each<[string, () => Uint8Array | Promise<Uint8Array>, MediaErrorKind]>([
    ["an empty file", () => new Uint8Array(), "empty"],
    ["text", () => text, "unsupported"],
    ["a picture", () => photo().png().toBuffer(), "unsupported"],
    ["random bytes", () => random, "unsupported"],
    ["zeros", () => new Uint8Array(5000), "unsupported"],
    ["without samples", () => encodeWav([new Float32Array()], 16_000), "empty"],
    ["half a WAV", () => half(wavBytes([noise(seconds, 2)], 48_000, "s16")), "corrupt"],
    ["a WAV header alone", () => wavBytes([noise(9, 2)], 48_000, "s16").subarray(0, 30), "corrupt"],
    ["a WAV of 4 GHz", () => wavBytes([noise(9, 2)], 4_000_000_000, "s16"), "corrupt"],
    ["a WAV of no channels", () => wavBytes([], 48_000, "s16"), "corrupt"],
    ["half an M4A", async () => half(await encodeAudio("m4a", "aac", [softNoise(seconds, 3)], 48_000)), "corrupt"],
    ["half a FLAC", async () => half(await encodeAudio("flac", "flac", [softNoise(seconds, 3)], 48_000)), "corrupt"],
    [
      "an OGG with a hole",
      async () => holed(await encodeAudio("ogg", "opus", [softNoise(seconds, 3)], 48_000)),
      "corrupt",
    ],
    ["a video without sound", () => inMemory("mp4"), "unsupported"],
  ])("a recording that is %s is refused", async (_, make, kind) => {
    const path = join(folder, "speech.wav");
    await writeFile(path, await make());
    const error = await failure(readAudio(path));
    expect(error).toMatchObject({ kind, source: path });
  });

  test.each<[string, () => Uint8Array | Promise<Uint8Array>, MediaErrorKind]>([
    ["text", () => text, "unsupported"],
    ["a recording", () => encodeWav([noise(100, 1)], 16_000), "unsupported"],
    ["half an MP4", async () => half(await inMemory("mp4")), "corrupt"],
    ["half a WebM", async () => half(await inMemory("webm")), "corrupt"],
  ])("a video that is %s is refused", async (_, make, kind) => {
    const bytes = await make();
    const all = async () => {
      const video = await readVideo(bytes);
      try {
        for await (const frame of video.frames()) void frame;
      } finally {
        await video.close();
      }
    };
    expect(await failure(all())).toMatchObject({ kind });
  });

  test.each([readImage, readAudio, readVideo])("a missing path and a folder are refused by %o", async (read) => {
    expect(await failure(read(join(folder, "no such file")))).toMatchObject({ kind: "missing" });
    expect(await failure(read(folder))).toMatchObject({ kind: "missing" });
  });
});

describe("writing", () => {
  const cases: [string, string, MediaErrorKind][] = [
    ["into a folder that does not exist", "nowhere/out.mp4", "unwritable"],
    ["over a folder", "folder.mp4", "unwritable"],
    ["under an unknown extension", "out.avi", "unsupported"],
    ["under no extension", "out", "unsupported"],
  ];
  test.each(cases)("a video %s is refused before a frame is encoded", async (_, path, kind) => {
    const before = await readdir(folder);
    const start = createVideoWriter({ path: join(folder, path), width: 64, height: 64, fps: 25 });
    expect(await failure(start)).toMatchObject({ kind });
    expect(await readdir(folder)).toEqual(before);
  });

  test("a picture that cannot be written leaves nothing", async () => {
    const before = await readdir(folder);
    const image = createImage(4, 4);
    expect(await failure(writeImage(join(folder, "nowhere/a.png"), image))).toMatchObject({ kind: "unwritable" });
    expect(await failure(writeImage(join(folder, "a.tga"), image))).toMatchObject({ kind: "unsupported" });
    expect(await failureOf(writeAnimation(join(folder, "a.gif"), [], 10))).toMatchObject({ kind: "invalid" });
    const sizes = [image, createImage(5, 4)];
    expect(await failureOf(writeAnimation(join(folder, "a.webp"), sizes, 10))).toMatchObject({ kind: "invalid" });
    expect(await readdir(folder)).toEqual(before);
  });

  test.each(["mp4", "webm"] as const)("a full disk ends an %s with one error", async (container) => {
    let left = 20_000;
    const target = new WritableStream<{ data: Uint8Array }>({
      write({ data }) {
        left -= data.length;
        if (left < 0) throw new MediaError("unwritable", "disk", "the disk is full; free some space");
      },
    });
    expect(await failure(videoBytes({ target, container }))).toMatchObject({ kind: "unwritable" });
  });

  test("a broken recording gives its own error and leaves nothing", async () => {
    const before = await readdir(folder);
    async function* chunks(): AsyncGenerator<readonly Float32Array[], void, undefined> {
      yield [noise(16_000, 1)];
      await Promise.resolve();
      throw new MediaError("corrupt", "speech.ogg", "the file is damaged; copy it again");
    }
    const audio = { sampleRate: 16_000, channels: 1, chunks, close: () => Promise.resolve() };
    const error = await failure(videoBytes({ path: join(folder, "out.mp4") }, { audio }));
    expect(error).toMatchObject({ kind: "corrupt", source: "speech.ogg" });
    expect(await readdir(folder)).toEqual(before);
  });

  test.each<[string, Partial<VideoSettings>]>([
    ["a side of 0", { width: 0 }],
    ["a frame rate of 0", { fps: 0 }],
    ["a scale of 1.5", { scale: 1.5 }],
    ["frames of another size", { width: 32 }],
  ])("%s is refused", async (_, settings) => {
    const before = await readdir(folder);
    const work = videoBytes({ path: join(folder, "out.webm") }, settings);
    expect((await failureOf(work)).kind).toBe("invalid");
    expect(await readdir(folder)).toEqual(before);
  });

  test("a video without a frame is refused", async () => {
    const before = await readdir(folder);
    const writer = await createVideoWriter({ path: join(folder, "out.mp4"), width: 64, height: 64, fps: 25 });
    expect(await failure(writer.finish())).toMatchObject({ kind: "empty" });
    expect(await readdir(folder)).toEqual(before);
  });
});

/** As {@link failure}, for errors whose one sentence is the advice. */
async function failureOf(work: Promise<unknown>): Promise<MediaError> {
  const error: unknown = await work.catch((reason: unknown) => reason);
  if (error instanceof MediaError) return error;
  throw new Error(`expected a MediaError, got ${String(error)}`);
}

function holed(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  return copy.fill(0x55, Math.floor(0.4 * copy.length), Math.floor(0.6 * copy.length));
}

/** A PNG whose header promises a size, with hardly any pixels behind it. */
async function hugePng(width: number, height: number): Promise<Uint8Array> {
  const { crc32 } = await import("node:zlib");
  const bytes = new Uint8Array(await photo().png().toBuffer());
  const view = new DataView(bytes.buffer);
  view.setUint32(16, width);
  view.setUint32(20, height);
  view.setUint32(29, crc32(bytes.subarray(12, 29)));
  return bytes;
}
