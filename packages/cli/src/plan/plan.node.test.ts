import { Wav2Vec2Encoder, presets as audioPresets, flops as audioFlops } from "@omni/audio";
import { desktopTraits, estimate, memory, metaTensor, toMeta } from "@omni/core";
import { flops as ditFlops, MMDiT, NO_CONDITIONS, presets as ditPresets } from "@omni/dit";
import { CausalVae, flops as vaeFlops, vaePresets } from "@omni/vae";
import { describe, expect, test } from "vitest";
import { omni, SLOW_MACHINE } from "../testing.fixture.ts";
import type { Plan } from "./plan.ts";

const total = (flops: Readonly<Record<string, number>>): number => Object.values(flops).reduce((sum, n) => sum + n, 0);

async function planned(...args: readonly string[]): Promise<Plan> {
  const { code, stdout, stderr } = await omni(["plan", "--no-measure", "--json", ...args]);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Plan; // what the command prints
}

describe("operations counted in the graph", () => {
  // the packages' formulas are written down from the layouts, not from the graph
  test("of the denoiser are those of its formula", () => {
    const config = ditPresets.nano;
    const shape = { batch: 1, frames: 5, motion: 2, reference: true, height: 8, width: 8, textLength: 32, audio: true };
    const latents = (frames: number) => metaTensor([1, config.latentChannels, frames, 8, 8]);
    const velocity = toMeta(new MMDiT(config)).forward({
      ...NO_CONDITIONS,
      noisy: latents(5),
      motion: latents(2),
      reference: latents(1),
      t: metaTensor([1]),
      text: metaTensor([1, 32, config.textDim]),
      audio: metaTensor([1, 25, 2, config.audioDim]),
      pose: metaTensor([1, config.poseChannels, 7, 8, 8]),
    });
    const counted = total(estimate([velocity], desktopTraits).flops);
    expect(counted / ditFlops(config, shape).total).toBeCloseTo(1, 1);
  });

  test("of the autoencoder are those of its formula", () => {
    const vae = toMeta(new CausalVae(vaePresets.wan21));
    const size = { frames: 5, height: 64, width: 48 };
    const { encode, decode } = vaeFlops(vaePresets.wan21, size);
    const there = total(estimate([vae.encode(metaTensor([1, 3, 5, 64, 48]))], desktopTraits).flops);
    const back = total(estimate([vae.decode(metaTensor([1, 16, 2, 8, 6]))], desktopTraits).flops);
    expect(there / encode).toBeCloseTo(1, 2);
    expect(back / decode).toBeCloseTo(1, 2);
  });

  test("of the sound encoder are those of its formula", () => {
    const encoder = toMeta(new Wav2Vec2Encoder(audioPresets.base));
    const counted = total(estimate(encoder.forward(metaTensor([1, 32_000])).hidden.slice(-1), desktopTraits).flops);
    expect(counted / audioFlops(audioPresets.base, 32_000)).toBeCloseTo(1, 2);
  });
});

describe("omni plan", { timeout: SLOW_MACHINE }, () => {
  test("plans the public sizes without memory", async () => {
    const before = (await memory()).live;
    const plan = await planned("--preset", "wan-14b", "--size", "480x480", "--seconds", "1", "--dtype", "bf16");
    const [denoiser, text, vae] = plan.parts;
    // as published; two bytes each
    expect([denoiser?.parameters, vae?.parameters]).toEqual([14_288_491_584, 126_892_531]);
    expect(denoiser?.bytes).toBe(2 * 14_288_491_584);
    expect(text?.largest).toMatchObject({ name: "shared.weight", shape: [256_384, 4096] });
    expect(plan.phases.map(({ name, runs }) => [name, runs])).toEqual([
      ["encode text", 2],
      ["denoise", 50],
      ["decode frames", 1],
    ]);
    expect((await memory()).live).toBeLessThanOrEqual(before); // the collector may have freed some
  });

  test("tells what does not fit, and why", async () => {
    const fits = await planned("--preset", "umt5-xxl", "--dtype", "bf16", "--memory", "24GB");
    expect(fits.problems).toEqual([]);
    const { problems } = await planned("--preset", "umt5-xxl", "--memory", "16GB");
    expect(problems[0]).toMatch(/^weights: 21\.2 GiB of 14\.9 GiB: store them as bf16/);
    const vae = await planned("--preset", "wan-vae", "--size", "720x1280", "--memory", "16GB");
    expect(vae.problems.join("\n")).toMatch(/decode frames: .*tiling/);
  });

  test("more seconds are more segments, not more memory", async () => {
    const [short, long] = [
      await planned("--preset", "nano", "--seconds", "2"),
      await planned("--preset", "nano", "--seconds", "6"),
    ];
    const denoise = ({ phases }: Plan) => phases.find(({ name }) => name === "denoise");
    expect(denoise(long)?.runs).toBeGreaterThan(denoise(short)?.runs ?? Infinity);
    expect(denoise(long)?.peak).toBe(denoise(short)?.peak);
  });

  test("codes frames as omni animate would on such an adapter", async () => {
    const phases = async (...args: readonly string[]) =>
      (await planned("--preset", "small", "--seconds", "10", ...args)).phases;
    const whole = await phases("--size", "64x64", "--memory", "64GB");
    expect(whole.map(({ name, runs }) => [name, runs]).slice(-2)).toEqual([
      ["decode frames", 3],
      ["encode motion", 2],
    ]);
    const tiled = await phases("--size", "720x1280", "--memory", "64GB");
    // 90×160 cells in tiles of 64 that share 24 are 2×4; 5 s are 32 latent frames
    expect(tiled.map(({ name, runs }) => [name, runs]).slice(-2)).toEqual([
      ["decode frames, tiles of 64×64 cells", 3 * 32 * 8],
      ["encode motion, tiles of 64×64 cells", 2 * 2 * 8],
    ]);
    const [picture, decode] = [tiled[2], tiled[4]];
    expect(picture?.name).toMatch(/^encode picture/);
    // half of what the weights leave is for coding, the other for what is kept
    expect(decode?.peak).toBeLessThan(64e9);
  });

  test("measures the adapter and multiplies steps by seconds", async () => {
    const { code, stdout, stderr } = await omni(["plan", "--preset", "nano"]);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^nano: 4 s of 64×64 at 12\.5 frames a second: \d segments of 25 frames, 4 steps each/);
    expect(stdout).toMatch(/^denoise +\d+ +[\d.]+ G +\d+ .* [\d.]+ s × \d+ = /m);
    expect(stdout).toMatch(/^measured on .*: matmul [\d.]+ [MGT]FLOP\/s, conv [\d.]+ [MGT]FLOP\/s/m);
    expect(stdout).toContain("all of it fits");
  });

  test.each([
    [["plan"], "--preset must be one of nano, small, base, seaweed-8b, wan-1.3b"],
    [["plan", "--preset", "huge"], "got huge"],
    [["plan", "--preset", "nano", "--size", "65x64"], "in multiples of 16, such as 720x1280"],
    [["plan", "--preset", "nano", "--memory", "much"], "It must be a size such as 5GB"],
  ])("refuses %j", async (args, says) => {
    const { code, stderr } = await omni(args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(says)]);
  });
});
