import { chmod, mkdir, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createImage, encodeImage, writeImage } from "@omni/media";
import { omni, testFolder, toneWav } from "./testing.fixture.ts";
import type { Folder } from "./testing.fixture.ts";

let folder: Folder;
let given: string[];
beforeAll(async () => {
  folder = await testFolder();
  const picture = await encodeImage(createImage(64, 64, [90, 120, 200]));
  const write = (name: string, content: Uint8Array | string) => writeFile(folder.at(name), content);
  await write("person.png", picture);
  await write("speech.wav", toneWav(0.2));
  await write("empty.png", "");
  await write("empty.wav", "");
  await write("cut.png", picture.subarray(0, 60));
  await write("cut.wav", toneWav(2).subarray(0, 8000));
  await write("text.wav", "this is not sound\n".repeat(40));
  await write("text.png", "this is not a picture\n".repeat(40));
  await write("silent.wav", toneWav(0));
  await writeImage(folder.at("dot.png"), createImage(1, 1, [0, 0, 0]));
  await writeImage(folder.at("huge.png"), createImage(30_000, 16, [0, 0, 0]));
  await write("pose.json", "{ nothing");
  await write("pose2.json", JSON.stringify({ schema: "coco17", fps: 25, width: 64, height: 64, frames: [] }));
  await write("weights.safetensors", "no weights");
  await mkdir(folder.at("weights"));
  await write("weights/vae.safetensors", "no weights");
  await mkdir(folder.at("locked"));
  await chmod(folder.at("locked"), 0o500);
  given = await folder.others([]);
});
afterAll(async () => {
  await chmod(folder.at("locked"), 0o700);
  await folder.remove();
});

interface Case {
  readonly args: Readonly<Record<string, string>>;
  readonly says: string;
}
const animated = (changes: Readonly<Record<string, string>>, says: string): Case => ({
  args: { image: "person.png", audio: "speech.wav", out: "out.mp4", ...changes },
  says,
});

describe("bad input ends with code 2 and one line that says what to do", () => {
  test.each<[string, Case]>([
    ["a missing picture", animated({ image: "none.png" }, "no such file; check the path")],
    ["a missing recording", animated({ audio: "none.wav" }, "no such file; check the path")],
    ["an empty picture", animated({ image: "empty.png" }, "the file is empty")],
    ["an empty recording", animated({ audio: "empty.wav" }, "the file is empty")],
    ["a truncated picture", animated({ image: "cut.png" }, "save or copy it again")],
    ["a truncated recording", animated({ audio: "cut.wav" }, "save or copy it again")],
    ["a recording as picture", animated({ image: "speech.wav" }, "not a picture; give a")],
    ["a picture as recording", animated({ audio: "person.png" }, "give a WAV")],
    ["text named .wav", animated({ audio: "text.wav" }, "give a WAV")],
    ["text named .png", animated({ image: "text.png" }, "give a")],
    ["a folder as picture", animated({ image: "weights" }, "this is a folder")],
    ["a picture of one pixel", animated({ image: "dot.png" }, "give one of at least 16x16")],
    ["a picture of 30,000 pixels", animated({ image: "huge.png" }, "make it smaller first")],
    ["a recording without samples", animated({ audio: "silent.wav" }, "0 samples")],
    ["an output that may not be written", animated({ out: "locked/out.mp4" }, "choose another output")],
    ["an output in no folder", animated({ out: "nowhere/out.mp4" }, "create it or choose another output")],
    ["an output that is no video", animated({ out: "out.txt" }, "must end in .mp4 or .webm")],
    ["a pose that is no JSON", animated({ pose: "pose.json" }, "this is not JSON")],
    ["a pose without frames", animated({ pose: "pose2.json" }, "there are no frames")],
    ["a log that may not be written", animated({ log: "nowhere/log.jsonl" }, "choose another place")],
    ["a size of odd sides", animated({ size: "63x64" }, "in multiples of 16, such as 64x80")],
    ["no steps", animated({ steps: "0" }, "It must be a whole number above 0; see --help")],
    ["a length of nothing", animated({ seconds: "0" }, "It must be a number above 0")],
    ["a seed of words", animated({ seed: "lucky" }, "It must be a whole number of at least 0")],
    ["an unknown adapter", animated({ adapter: "fast" }, "Allowed choices are auto, system, software")],
    ["an unknown option", animated({ colour: "red" }, "unknown option '--colour'")],
  ])("%s", async (_, { args, says }) => {
    if (args["out"]?.startsWith("locked") && process.getuid?.() === 0) return; // root may write anywhere
    const paths = ["image", "audio", "out", "pose", "log"];
    const list = Object.entries(args).flatMap(([name, value]) => [
      `--${name}`,
      paths.includes(name) ? folder.at(value) : value,
    ]);
    const { code, stderr, stdout } = await omni(["animate", ...list]);
    expect([code, stdout]).toEqual([2, ""]);
    const [line = "", ...more] = stderr.split("\n").filter((text) => text !== "" && !text.startsWith("Running on "));
    expect(line).toContain(says);
    expect(more).toEqual([]);
    expect(await folder.others(given)).toEqual([]);
  });

  test.each([
    [["animate"], "--image"],
    [["animate", "--image", "a.png"], "--out"],
    [["animate", "--image", "a.png", "--out", "a.mp4"], "give --audio, --pose or --text"],
    [["puppet"], "--out"],
    [["puppet", "--seeds", "9-1", "--out", "a.png"], "numbers such as 1,5,9 or 0-15"],
    [["train", "gan"], "Allowed choices are vae, audio, dit"],
    [["train", "vae", "--decoder-only"], "--decoder-only: is for `train vae` and needs --init"],
    [["train", "dit", "--decoder-only", "--init", "weights"], "--decoder-only: is for `train vae` and needs --init"],
    [["train", "dit", "--latent-noise", "0.3"], "--latent-noise: is for `train vae`"],
    [["train", "dit", "--perceptual", "1"], "--perceptual: is for `train vae`"],
    [["train", "vae", "--vgg16", "vgg16.pth"], "--vgg16: needs --perceptual"],
    [["train", "vae", "--perceptual", "1", "--lpips", "vgg.pth"], "--lpips: needs --vgg16"],
    [["train", "vae", "--r1", "1"], "--r1: needs --adversarial"],
    [["train", "vae", "--kl", "-1"], "It must be a number of at least 0"],
    [["train", "dit", "--fresh-pose"], "--fresh-pose: is for `train dit` and needs --init"],
    [["train", "vae", "--first-stage", "3"], "--first-stage: is for `train dit`"],
    [["train", "dit", "--first-stage", "4"], "It must be 0, 1, 2 or 3"],
    [["train", "dit", "--pose-ratio", "2"], "It must be a number from 0 to 1"],
    [["train", "dit", "--silent-ratio", "-1"], "It must be a number from 0 to 1"],
    [["dance"], "unknown command 'dance'"],
    [["inspect", "none.safetensors"], "no such file"],
  ])("omni %j", async (args, says) => {
    const { code, stderr } = await omni(args);
    expect(code).toBe(2);
    expect(stderr).toContain(says);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  test("weights that are none", async () => {
    const { loadModel } = await import("./context.ts");
    const { endingOf } = await import("./failure.ts");
    for (const name of ["weights", "nowhere"]) {
      const error: unknown = await loadModel(folder.at(name)).catch((cause: unknown) => cause);
      expect(endingOf(error).code).toBe(2);
    }
  });
});

describe("help", () => {
  test("is asked for with code 0 and shows examples", async () => {
    for (const args of [["--help"], ["animate", "--help"], ["train", "--help"], ["puppet", "--help"]]) {
      const { code, stdout, stderr } = await omni(args);
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toMatch(/Start here|Examples/);
    }
  });

  test("is given with code 2 where the command is missing", async () => {
    const { code, stderr } = await omni([]);
    expect(code).toBe(2);
    expect(stderr).toContain("Start here");
  });
});
