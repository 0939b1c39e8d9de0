import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createImage, readAudio, readVideo, writeImage } from "@omni/media";
import { animate, plainRequest } from "./animate.ts";
import { omni, SLOW_MACHINE, testContext, testFolder, thinModel, toneWav } from "./testing.fixture.ts";
import type { Folder } from "./testing.fixture.ts";

let folder: Folder;
beforeAll(async () => {
  folder = await testFolder();
  await thinModel();
  await writeImage(folder.at("square.png"), createImage(100, 100, [200, 80, 40]));
  await writeImage(folder.at("tall.png"), createImage(353, 641, [200, 80, 40]));
  for (const seconds of [0.2, 1.3, 2.4]) await writeFile(folder.at(`${seconds}.wav`), toneWav(seconds));
});
afterAll(() => folder.remove());

async function videoOf(name: string): Promise<{ frames: number; seconds: number; width: number; height: number }> {
  const video = await readVideo(folder.at(name));
  let frames = 0;
  for await (const _ of video.frames()) frames++;
  await video.close();
  return { frames, seconds: video.duration, width: video.width, height: video.height };
}

const omniAnimate = (args: readonly string[], signal?: AbortSignal) => omni(["animate", ...args], signal);
const files = (image: string, audio: string, out: string): string[] => [
  `--image=${folder.at(image)}`,
  `--audio=${folder.at(audio)}`,
  `--out=${folder.at(out)}`,
];

describe("omni animate", { timeout: SLOW_MACHINE }, () => {
  test("writes a video as long as the sound, within a frame, with the sound in it", async () => {
    const { code, stdout, stderr } = await omniAnimate(files("square.png", "1.3.wav", "a.mp4"));
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("a.mp4: 1.28 s, 256×256 pixels, with sound");
    expect(stderr).toContain("Running on ");
    expect(await videoOf("a.mp4")).toEqual({ frames: 16, seconds: expect.closeTo(1.28, 2), width: 256, height: 256 });
    expect((await readAudio(folder.at("a.mp4"))).duration).toBeCloseTo(1.28, 1);
  });

  test("takes the shape of the picture, and writes WebM", async () => {
    const { code, stderr } = await omniAnimate(files("tall.png", "0.2.wav", "b.webm"));
    expect(code, stderr).toBe(0);
    const { frames, width, height } = await videoOf("b.webm");
    expect([frames, width / height]).toEqual([3, 48 / 80]);
  });

  test("takes text alone for as long as it is told", async () => {
    const text = ["--text", "a person waving", "--seconds", "0.4", "--fit", "pad", "--size", "64x64"];
    const { code, stderr, stdout } = await omniAnimate([
      "--image",
      folder.at("tall.png"),
      "--out",
      folder.at("c.mp4"),
      ...text,
    ]);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("0.40 s, 256×256 pixels, without sound");
  });

  test("takes a pose", async () => {
    const points = Array.from({ length: 17 }, (_, k) => [150 + 5 * k, 100 + 20 * k, 2]);
    const pose = { schema: "coco17", fps: 25, width: 353, height: 641, frames: [points, points, points, points] };
    await writeFile(folder.at("pose.json"), JSON.stringify(pose));
    const { code, stderr } = await omniAnimate([
      `--image=${folder.at("tall.png")}`,
      `--pose=${folder.at("pose.json")}`,
      `--out=${folder.at("d.mp4")}`,
    ]);
    expect(code, stderr).toBe(0);
    expect((await videoOf("d.mp4")).frames).toBe(2);
  });

  test("logs one JSON object a line", async () => {
    const log = folder.at("e.jsonl");
    await omniAnimate([...files("square.png", "2.4.wav", "e.mp4"), "--log", log]);
    const lines = (await readFile(log, "utf8")).trim().split("\n");
    const events = lines.map((line): unknown => JSON.parse(line));
    expect(events.map((event) => (event as { msg: string }).msg)).toEqual(["start", "segment", "segment", "end"]);
  });

  test("keeps finished segments as a playable file when it is stopped", async () => {
    const controller = new AbortController();
    const request = {
      ...plainRequest,
      image: folder.at("square.png"),
      audio: folder.at("2.4.wav"),
      out: folder.at("f.mp4"),
    };
    const stopped = animate(request, testContext(controller.signal), () => controller.abort());
    await expect(stopped).rejects.toThrow(/^stopped: the first 2\.0 s are kept in .*f\.mp4$/);
    expect((await videoOf("f.mp4")).frames).toBe(25);
  });

  test("leaves nothing when it is stopped before the first segment is done", async () => {
    const before = await folder.others([]);
    const { code, stderr } = await omniAnimate(files("square.png", "2.4.wav", "g.mp4"), AbortSignal.abort());
    expect(code).toBe(130);
    expect(stderr).toContain("nothing was written");
    expect(await folder.others(before)).toEqual([]);
  });
});
