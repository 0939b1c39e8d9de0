import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Rng } from "@omni/core";
import { VggFeatures, vaePresets } from "@omni/vae";
import type { VaeConfig } from "@omni/vae";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RunState } from "./run-state.ts";
import type { TrainingClip } from "./sample.ts";
import { trainVae, type VaeTraining } from "./train-vae.ts";

const config: VaeConfig = {
  ...vaePresets.nano,
  spaceToDepth: 2,
  encoderDims: [4, 8, 8],
  decoderDims: [4, 8, 8],
  patchShortcut: false,
  zDim: 3,
  latentMean: [0, 0, 0],
  latentStd: [1, 1, 1],
};

const SIZE = { width: 16, height: 16 };
const FRAMES = 5;

/** A light square that moves over a dark slope. */
function clip(index: number): TrainingClip {
  const { width, height } = SIZE;
  const video = new Uint8Array(FRAMES * height * width * 3);
  for (let f = 0; f < FRAMES; f++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const inside = Math.abs(x - 4 - f - (index % 3)) < 3 && Math.abs(y - 8) < 3;
        video.fill(
          inside ? 230 : 40 + 4 * y,
          ((f * height + y) * width + x) * 3,
          ((f * height + y) * width + x + 1) * 3,
        );
      }
  return {
    ...SIZE,
    frames: FRAMES,
    fps: 12.5,
    video,
    reference: video.slice(0, height * width * 3),
    audio: new Float32Array(0),
    keypoints: new Float32Array(0),
    moving: new Float32Array(FRAMES * height * width),
    caption: "",
    lipSync: false,
    silent: false,
    poseVisible: false,
  };
}

const small: Omit<VaeTraining, "steps"> = {
  clips: clip,
  config,
  phases: [{ share: 1, frames: FRAMES, batch: 1 }],
  sizes: [SIZE],
  lr: 1e-2,
};

/** One picture a step, for what does not look at motion. */
const picture: Partial<VaeTraining> = { phases: [{ share: 1, frames: 1, batch: 1 }] };

/** The log of a run on one clip, a record a step. */
async function logged(options: Partial<VaeTraining>, steps = 24): Promise<Readonly<Record<string, number>>[]> {
  const log: Readonly<Record<string, number>>[] = [];
  await trainVae({ ...small, clips: () => clip(0), steps, onLog: ({ values }) => log.push(values), ...options });
  return log;
}

/** Mean of a value over the first and over the last five steps. */
function ends(log: readonly Readonly<Record<string, number>>[], name: string): [first: number, last: number] {
  const mean = (part: typeof log): number => part.reduce((sum, v) => sum + (v[name] ?? NaN), 0) / part.length;
  return [mean(log.slice(0, 5)), mean(log.slice(-5))];
}

const features = new VggFeatures({ widths: [4, 8], convs: [1, 1] }, new Rng(1));
const discriminator = { temporalKernel: 3, width: 4, levels: 1 } as const;
const none = { l1Weight: 0, l2Weight: 0, klWeight: 0 };

describe("trainVae lowers what it is asked to lower, alone:", () => {
  test("L1", async () => {
    const [first, last] = ends(await logged({ loss: { ...none, l1Weight: 1 } }, 40), "reconstruction");
    expect(last).toBeLessThan(0.7 * first);
  });

  test("the distance of features", async () => {
    const [first, last] = ends(
      await logged({ ...picture, loss: { ...none, perceptual: { features, weight: 1 } } }, 40),
      "perceptual",
    );
    expect(last).toBeLessThan(0.8 * first);
  });

  test("KL, of latents drawn from the posterior", async () => {
    const [first, last] = ends(await logged({ ...picture, loss: { ...none, klWeight: 1 }, sampleLatents: true }), "kl");
    expect(last).toBeLessThan(0.5 * first);
  });

  test("a discriminator's own loss", async () => {
    const adversarial = { weight: 0, discriminator: { ...discriminator, temporalKernel: 1 as const }, lr: 5e-3 };
    const log = await logged({ ...picture, lr: 1e-6, adversarial });
    // it knows nothing at first, and then tells all from what is hardly trained
    expect(log[0]?.["discriminator"]).toBeGreaterThan(0.8);
    expect(ends(log, "discriminator")[1]).toBeLessThan(0.4);
  });

  test("the generator's loss, against a discriminator that stands still", async () => {
    const adversarial = { weight: 1, discriminator, adaptive: false, lr: 0 };
    const [first, last] = ends(await logged({ loss: none, adversarial }), "generator");
    expect(last).toBeLessThan(first - 0.05);
  });
});

describe("trainVae with all losses", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "omni-vae-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const all: Omit<VaeTraining, "steps"> = {
    ...small,
    loss: { perceptual: { features, weight: 0.5 }, klWeight: 1e-3 },
    sampleLatents: true,
  };
  const adversarial = { weight: 0.5, discriminator, r1: 0.1, lecam: 0.1 };

  test.each([
    ["that has judged before the stop", 1],
    ["that comes after it", 4],
  ])("resumed with a discriminator %s equals one that never stopped", async (_, start) => {
    const options = { ...all, steps: 5, adversarial: { ...adversarial, start } };
    const [whole, parts] = [join(folder, `whole ${start}.safetensors`), join(folder, `parts ${start}.safetensors`)];
    const seen: string[] = [];
    await trainVae({ ...options, checkpoint: whole, onLog: ({ values }) => seen.push(Object.keys(values).join(" ")) });
    const stop = new AbortController();
    await trainVae({
      ...options,
      checkpoint: parts,
      signal: stop.signal,
      onLog: ({ step }) => step === 2 && stop.abort(),
    });
    const { step } = await RunState.read(parts);
    expect(step).toBeLessThan(4);
    await trainVae({ ...options, checkpoint: parts, resume: true });
    expect(Buffer.compare(await readFile(parts), await readFile(whole))).toBe(0);
    // it judged in the steps from its first on
    expect(seen.map((names) => names.includes("adaptiveWeight"))).toEqual(seen.map((_step, i) => i >= start));
    const state = await RunState.read(whole);
    expect(Number(state.metadata["discriminatorSteps"])).toBe(5 - start);
    expect(Object.keys(state.group("discriminator"))).toContain("layers.0.u");
  });
});
