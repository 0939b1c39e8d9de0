import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { saveAudio, saveAutoencoder, saveDenoiser, WEIGHT_FILES } from "@omni/human";
import { createImage, readVideo, writeImage } from "@omni/media";
import { SLOW_MACHINE, testFolder, thinModel, toneWav } from "./testing.fixture.ts";
import type { Folder } from "./testing.fixture.ts";

let folder: Folder;
beforeAll(async () => {
  folder = await testFolder();
  const { vae, audio, denoiser } = await thinModel();
  await mkdir(folder.at("weights"));
  await writeFile(folder.at(`weights/${WEIGHT_FILES.vae}`), await saveAutoencoder(vae));
  await writeFile(folder.at(`weights/${WEIGHT_FILES.audio}`), await saveAudio(audio));
  await writeFile(folder.at(`weights/${WEIGHT_FILES.dit}`), await saveDenoiser(denoiser));
  await writeImage(folder.at("person.png"), createImage(64, 64, [200, 80, 40]));
  await writeFile(folder.at("long.wav"), toneWav(60));
});
afterAll(() => folder.remove());

test("Ctrl-C ends the program with code 130 and keeps what is finished", { timeout: SLOW_MACHINE }, async () => {
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const node = ["--import", import.meta.resolve("tsx"), "--conditions=@omni/source", main, "animate"];
  const files = ["--image", "person.png", "--audio", "long.wav", "--weights", "weights"];
  const known = await folder.others([]);
  const child = spawn(process.execPath, [...node, ...files, "--out", "long.mp4", "--log", "long.jsonl"], {
    cwd: folder.at("."),
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = once(child, "close");
  while (child.exitCode === null) {
    const log = await readFile(folder.at("long.jsonl"), "utf8").catch(() => "");
    if (log.includes('"segment"')) break;
    await sleep(50);
  }
  child.kill("SIGINT");
  const [code] = await ended;
  expect(code, stderr).toBe(130);
  expect(stderr).toMatch(/omni: stopped: the first \d+\.\d s are kept in long\.mp4\n$/);
  const video = await readVideo(folder.at("long.mp4"));
  expect(video.duration).toBeGreaterThanOrEqual(2);
  await video.close();
  expect((await folder.others(known)).toSorted()).toEqual(["long.jsonl", "long.mp4"]);
});

test("a reader that closes the pipe early is no failure", { timeout: SLOW_MACHINE }, async () => {
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const node = ["--import", import.meta.resolve("tsx"), "--conditions=@omni/source", main];
  const weights = folder.at(`weights/${WEIGHT_FILES.dit}`);
  const child = spawn(process.execPath, [...node, "inspect", weights], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [code] = await once(child, "close");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});
