import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { saveAudio } from "@omni/human";
import { readImage, readVideo } from "@omni/media";
import { omni, SLOW_MACHINE, testFolder, thinModel } from "./testing.fixture.ts";
import type { Folder } from "./testing.fixture.ts";

let folder: Folder;
beforeAll(async () => {
  folder = await testFolder();
});
afterAll(() => folder.remove());

describe("omni demo", { timeout: SLOW_MACHINE }, () => {
  test("writes a video and a contact sheet, and says how to go on", async () => {
    const out = folder.at("made/here");
    const { code, stdout, stderr } = await omni(["demo", "--out", out, "--seconds", "0.4", "--steps", "1"]);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(`${out}/demo.mp4  0.40 s with sound`);
    expect(stdout).toContain(`${out}/demo.png`);
    expect(stdout).toContain("npm run omni -- animate --image");
    // five frames of 64×64, doubled, with gaps of 4 pixels
    expect(await readImage(`${out}/demo.png`)).toMatchObject({ width: 5 * 132 + 4, height: 132 + 4 });
  });

  test("says so where the folder cannot be made", async () => {
    await writeFile(folder.at("file"), "");
    const { code, stderr } = await omni(["demo", "--out", folder.at("file/below")]);
    expect(code).toBe(2);
    expect(stderr).toContain("choose another one with --out");
  });
});

describe("omni puppet", { timeout: SLOW_MACHINE }, () => {
  test("draws a contact sheet", async () => {
    const out = folder.at("sheet.png");
    const { code, stderr } = await omni(["puppet", "--seeds", "0-3", "--moments", "2", "--out", out]);
    expect(code, stderr).toBe(0);
    expect(await readImage(out)).toMatchObject({ width: 128, height: 256 });
  });

  test("films one puppet", async () => {
    const out = folder.at("one.webm");
    const { code, stdout } = await omni(["puppet", "--seeds", "3", "--seconds", "0.4", "--out", out]);
    expect(code).toBe(0);
    expect(stdout).toContain("; says: ");
    const video = await readVideo(out);
    expect(video.fps).toBeCloseTo(12.5, 1);
    await video.close();
  });
});

describe("omni inspect", () => {
  test("lists tensors and metadata", async () => {
    const file = folder.at("audio.safetensors");
    await writeFile(file, await saveAudio((await thinModel()).audio, { metadata: { seed: "5" } }));
    const { code, stdout } = await omni(["inspect", file]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/feature_projection\.projection\.weight +F16 +\[8, 4\]/);
    expect(stdout).toContain("seed: 5");
    const json: unknown = JSON.parse((await omni(["inspect", file, "--json"])).stdout);
    expect(json).toMatchObject({ metadata: { model: "omni-audio" } });
  });
});
