import { beforeAll, describe, expect, test } from "vitest";
import { getDevice, ShapeError } from "@omni/core";
import { upperBody8 } from "@omni/pose";
import type { KeypointTrack } from "@omni/pose";
import type { ClipCoding } from "@omni/vae";
import { generate } from "./generate.ts";
import type { GenerateOptions, GenerateProgress } from "./generate.ts";
import type { OmniHuman } from "./model.ts";
import { collect, tinyHuman, tinyPicture, tinySound } from "./tiny.fixture.ts";

let model: OmniHuman;
beforeAll(async () => {
  model = await tinyHuman();
});

const reference = tinyPicture();
const run = (options: GenerateOptions) => collect(generate(model, { reference, ...options }));
const bytes = (frames: readonly { readonly data: Uint8ClampedArray }[]) => frames.map(({ data }) => [...data]);

/** All eight points in view, moving to the right. */
function tinyTrack(frames: number): KeypointTrack {
  const points = Float32Array.from({ length: 24 * frames }, (_, i) => {
    const [frame, point, part] = [Math.floor(i / 24), Math.floor((i % 24) / 3), i % 3];
    return part === 0 ? 0.2 + 0.5 * (frame / frames) : part === 1 ? 0.1 + 0.1 * point : 1;
  });
  return { schema: upperBody8, fps: 12.5, width: 32, height: 32, points };
}

// the first run compiles every kernel, which takes a busy machine a while
describe("generate", { timeout: 180_000 }, () => {
  test.each([0.2, 2, 2.1, 5.3])("makes the frames of %d s of sound, within one", async (seconds) => {
    const frames = await run({ audio: tinySound(seconds) });
    expect(Math.abs(frames.length - seconds * 12.5)).toBeLessThanOrEqual(0.5);
    expect(frames.every(({ width, height }) => width === 32 && height === 32)).toBe(true);
  });

  test("takes its length from `seconds`, else from the sound, the pose, or one segment", async () => {
    expect(await run({ audio: tinySound(0.4), seconds: 0.8 })).toHaveLength(10);
    expect(await run({ pose: tinyTrack(7) })).toHaveLength(7);
    expect(await run({})).toHaveLength(25);
  });

  test("gives the same frames for the same seed, others for another", async () => {
    const audio = tinySound(2.4);
    const first = bytes(await run({ audio, seed: 3 }));
    expect(bytes(await run({ audio, seed: 3 }))).toEqual(first);
    expect(bytes(await run({ audio, seed: 4 }))).not.toEqual(first);
  });

  test("hears, sees the pose and reads the text", async () => {
    const plain = bytes(await run({ seconds: 2 }));
    expect(bytes(await run({ seconds: 2, audio: tinySound(2) }))).not.toEqual(plain);
    expect(bytes(await run({ seconds: 2, pose: tinyTrack(25) }))).not.toEqual(plain);
    expect(bytes(await run({ seconds: 2, text: "a person talking" }))).not.toEqual(plain);
    expect(bytes(await run({ seconds: 2, audio: tinySound(2), activate: { audio: false } }))).toEqual(plain);
  });

  test("keeps the memory of the device flat over segments and gives it back", async () => {
    const { pool } = await getDevice();
    const options = { audio: tinySound(7.2), pose: tinyTrack(90), text: "hello" };
    await run(options); // plans keep their buffers
    const before = pool.liveBytes;
    const during: number[] = [];
    for await (const { index } of generate(model, { reference, ...options }))
      if (index > 0) during.push(pool.liveBytes);
    expect(during.length).toBe(4);
    expect(Math.max(...during.slice(1, -1))).toBeLessThanOrEqual(during[0] ?? 0);
    expect(pool.liveBytes).toBeLessThanOrEqual(before);
  });

  test("gives the memory back when its caller stops early", async () => {
    const { pool } = await getDevice();
    const before = pool.liveBytes;
    for await (const { frames } of generate(model, { reference, audio: tinySound(7.2) })) {
      expect(frames).toHaveLength(25);
      break;
    }
    expect(pool.liveBytes).toBeLessThanOrEqual(before);
  });

  test("whole, frame by frame and in tiles, frames are nearly the same; whole is what is chosen at this size", async () => {
    const options = { seconds: 0.8, seed: 3 };
    const chosen = bytes(await run(options));
    expect(bytes(await run({ ...options, coding: "whole" }))).toEqual(chosen);
    const off = async (coding: ClipCoding): Promise<number> => {
      const got = bytes(await run({ ...options, coding })).flat();
      return chosen.flat().reduce((most, value, i) => Math.max(most, Math.abs(value - (got[i] ?? NaN))), 0);
    };
    // sums in another order: a level at most where a value lies between two
    expect(await off("frames")).toBeLessThanOrEqual(1);
    // one tile of the whole frame
    expect(await off({ size: 8 })).toBeLessThanOrEqual(1);
    // tiles of 3×3 of 4×4 cells have seams, whose size vae's tests state
    expect(await off({ size: 3, overlap: 2 })).toBeGreaterThan(0);
  });

  test("reports every step", async () => {
    const seen: GenerateProgress[] = [];
    await run({ audio: tinySound(3), onProgress: (progress) => seen.push(progress) });
    expect(seen.map(({ segment, step }) => [segment, step])).toEqual([
      [0, 0],
      [0, 1],
      [0, 2],
      [1, 0],
      [1, 1],
      [1, 2],
    ]);
    expect(seen.at(-1)?.fraction).toBe(1);
  });

  test("stops with the signal's reason", async () => {
    const controller = new AbortController();
    const stop = new Error("stop");
    const frames = run({ signal: controller.signal, onProgress: () => controller.abort(stop) });
    await expect(frames).rejects.toBe(stop);
  });

  test("refuses what it cannot run with, before any work", async () => {
    await expect(run({ audio: new Float32Array(0) })).rejects.toThrow("audio must hold at least one sample");
    await expect(run({ seconds: -1 })).rejects.toThrow("seconds must be a positive number, got -1");
    await expect(run({ steps: 0 })).rejects.toThrow("steps must be a positive integer");
    await expect(run({ pose: { ...tinyTrack(2), points: new Float32Array(0) } })).rejects.toThrow(ShapeError);
    const odd = { width: 30, height: 32, data: new Uint8ClampedArray(4 * 30 * 32) };
    await expect(run({ reference: odd })).rejects.toThrow("sides must be multiples of 16");
  });
});
