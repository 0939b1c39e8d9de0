import { closeDevice, concat, estimate, getDevice, metaTensor, realize, Rng, toMeta } from "@omni/core";
import type { Tensor } from "@omni/core";
import { beforeAll, describe, expect, test } from "vitest";
import { decodeClip, encodeClip } from "./code-clip.ts";
import { clipCoding, codingBytes } from "./coding.ts";
import type { ClipCoding } from "./coding.ts";
import { compression, vaePresets } from "./config.ts";
import { CausalVae } from "./model.ts";
import { awakeVae, tinyWan } from "./tiny.fixture.ts";

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];
const joined = (pieces: readonly Tensor[]): Tensor => concat([...pieces], { axis: 2 });

describe("codingBytes", () => {
  test.each([
    ["nano", 25, 128, 96],
    ["wan21", 9, 64, 96],
  ] as const)("of %s are what the planner's lifetimes say, or a little more", async (name, frames, height, width) => {
    const config = vaePresets[name];
    const { temporal, spatial } = compression(config);
    const vae = toMeta(new CausalVae(config));
    const latents = metaTensor([1, config.zDim, 1 + (frames - 1) / temporal, height / spatial, width / spatial]);
    const { traits } = await getDevice();
    const unbound = { ...traits, maxStorageBinding: 2 ** 40 };
    const resident = [...vae.namedParameters()].map(([, t]) => t);
    const bytes = (output: Tensor): number => estimate([output], unbound, { resident }).temporaryBytes;
    const { total } = codingBytes(config, { frames, height, width });
    const decoding = bytes(vae.decode(latents));
    expect(decoding).toBeLessThanOrEqual(total);
    expect(decoding).toBeGreaterThan(0.5 * total);
    expect(bytes(vae.encode(metaTensor([1, 3, frames, height, width])))).toBeLessThanOrEqual(total);
  });
});

describe("clipCoding", () => {
  const GIB = 2 ** 30;
  const plenty = { memory: 1e15, binding: 1e15 };
  const hd = { frames: 125, height: 720, width: 1280 };

  test("takes clips whole while they fit, then frame by frame, then in the largest tiles that do", () => {
    const clip = { frames: 25, height: 480, width: 832 };
    const choose = (memory: number): ClipCoding => clipCoding(vaePresets.wan21, clip, { ...plenty, memory });
    const edge = (coding: ClipCoding): number => (coding === "whole" ? 1e9 : coding === "frames" ? 1e8 : coding.size);
    expect(choose(100 * GIB)).toBe("whole");
    expect(choose(20 * GIB)).toBe("frames");
    const edges = [100, 20, 8, 4, 2, 1].map((memory) => edge(choose(memory * GIB)));
    expect(edges).toEqual([...edges].sort((a, b) => b - a));
    expect(choose(0)).toEqual({ size: 16 });
  });

  test("a nano segment is whole on the smallest adapters, 720p in tiles on a usual one", () => {
    // what WebGPU grants at least, and the CLI's tests have
    const small = { memory: GIB / 4, binding: 128 * 2 ** 20 };
    expect(clipCoding(vaePresets.nano, { frames: 25, height: 80, width: 48 }, small)).toBe("whole");
    expect(clipCoding(vaePresets.wan21, hd, { memory: 4 * GIB, binding: 2 * GIB })).toEqual({ size: 32 });
  });

  test("a binding too small for a layer's features cuts them too", () => {
    expect(clipCoding(vaePresets.wan21, hd, { ...plenty, binding: 128 * 2 ** 20 })).toEqual({ size: 24 });
  });
});

describe("decodeClip and encodeClip", () => {
  // tiles of outputs that reach 5 cells: exact where the overlap is three times as long (tiling.test.ts)
  const tiles = { size: 28, overlap: 18 };
  let vae: CausalVae;
  const latents = new Rng(1).normal([1, 3, 3, 2, 40]);
  const video = new Rng(2).uniform([1, 3, 9, 8, 160], -1, 1);
  beforeAll(async () => {
    vae = awakeVae({ ...tinyWan, middle: "none" });
    await realize([...Object.values(vae.parameters()), latents, video]);
  });

  async function off(got: Tensor, wanted: Tensor): Promise<number> {
    expect(got.shape).toEqual(wanted.shape);
    return Math.sqrt((await got.sub(wanted).square().mean().item()) / (await wanted.square().mean().item()));
  }

  test("whole, they are decode and encode bit by bit", async () => {
    expect(await values(joined(await decodeClip(vae, latents, "whole")))).toEqual(await values(vae.decode(latents)));
    expect(await values(await encodeClip(vae, video, "whole"))).toEqual(await values(vae.encode(video)));
  });

  // sums in another order; tiles as their overlap says
  test.each<[string, ClipCoding, number]>([
    ["frame by frame", "frames", 1e-5],
    ["in tiles with enough overlap", tiles, 1e-5],
    ["in tiles with three eighths of 24 cells", { size: 24 }, 0.01],
  ])("%s they differ by no more than is stated", async (_, coding, bound) => {
    expect(await off(joined(await decodeClip(vae, latents, coding)), vae.decode(latents))).toBeLessThan(bound);
    expect(await off(await encodeClip(vae, video, coding), vae.encode(video))).toBeLessThan(bound);
  });

  test("tiles one after the other are those side by side", async () => {
    const pieces: Tensor[] = [];
    for await (const piece of vae.decodeFrames(latents, { tiling: tiles })) pieces.push(piece);
    expect(await values(joined(await decodeClip(vae, latents, tiles)))).toEqual(await values(joined(pieces)));
  });
});

describe("a budget of memory", () => {
  // by codingBytes: 21, 7 and 5 MB beside a result of 1.6 MB
  test("of 12 MiB is too small for a whole clip and enough for frames", async () => {
    await closeDevice();
    await getDevice({ memoryBudget: 12 * 2 ** 20 });
    const decode = async (coding: ClipCoding): Promise<Tensor[]> => {
      const vae = await awakeVae(tinyWan).realize();
      return decodeClip(vae, await new Rng(3).normal([1, 3, 6, 20, 20]).realize(), coding);
    };
    expect((await decode("frames")).reduce((frames, { shape }) => frames + (shape[2] ?? 0), 0)).toBe(21);
    await expect(decode("whole")).rejects.toThrow(/memory/);
    await (await getDevice()).finished();
    await closeDevice();
  });
});
