import { concat, memory, realize, Rng } from "@omni/core";
import type { Tensor } from "@omni/core";
import { beforeAll, describe, expect, test } from "vitest";
import { CausalVae } from "./model.ts";
import { blendShares, tileSpans } from "./tiling.ts";
import type { VideoStream } from "./tiling.ts";
import { awakeVae, tinyNano, tinyWan } from "./tiny.fixture.ts";

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];

/** √(mean d² / mean x²) */
async function relativeError(got: Tensor, wanted: Tensor): Promise<number> {
  expect(got.shape).toEqual(wanted.shape);
  return Math.sqrt((await got.sub(wanted).square().mean().item()) / (await wanted.square().mean().item()));
}

async function inChunks(stream: VideoStream, video: Tensor, sizes: readonly number[]): Promise<Tensor> {
  const parts: Tensor[] = [];
  for (const chunk of video.split(sizes, 2)) parts.push(await stream.push(chunk));
  stream.dispose();
  return concat(parts, { axis: 2 });
}

describe("tileSpans", () => {
  test("cover the axis with equal tiles that share at least the overlap", () => {
    expect(tileSpans(10, { size: 4, overlap: 1 })).toEqual([
      { start: 0, end: 4 },
      { start: 3, end: 7 },
      { start: 6, end: 10 },
    ]);
    // the last is moved back
    expect(tileSpans(9, { size: 4, overlap: 1 }).at(-1)).toEqual({ start: 5, end: 9 });
    expect(tileSpans(3, { size: 4 })).toEqual([{ start: 0, end: 3 }]);
    expect(() => tileSpans(9, { size: 4, overlap: 4 })).toThrow("size 4 and overlap 4");
  });

  test("shares of each element sum to 1, and fall towards a neighbour only", () => {
    for (const length of [4, 7, 9, 10, 23]) {
      const spans = tileSpans(length, { size: 4, overlap: 2 });
      const sums = new Array<number>(length * 3).fill(0);
      const shares = blendShares(spans, 3);
      spans.forEach(({ start }, i) =>
        shares[i]?.forEach((share, x) => (sums[start * 3 + x] = (sums[start * 3 + x] ?? 0) + share)),
      );
      for (const sum of sums) expect(sum).toBeCloseTo(1, 12);
      expect(shares[0]?.[0]).toBe(1);
      expect(shares.at(-1)?.at(-1)).toBe(1);
    }
  });
});

describe("tiled streams", () => {
  let vae: CausalVae;
  // a long strip: what reaches across a seam, and how far, is the same along both axes
  const latents = new Rng(1).normal([1, 3, 2, 2, 40]);
  const video = new Rng(2).uniform([1, 3, 5, 8, 160], -1, 1);
  let decoded: Tensor;
  beforeAll(async () => {
    vae = awakeVae({ ...tinyWan, middle: "none" });
    await realize([...Object.values(vae.parameters()), latents, video]);
    decoded = await vae.decode(latents).realize();
  });

  test("one tile is the whole frame, exactly", async () => {
    const tiled = await inChunks(vae.decodeStream({ tiling: { size: 40 } }), latents, [1, 1]);
    expect(await values(tiled)).toEqual(await values(await inChunks(vae.decodeStream(), latents, [1, 1])));
  });

  // Convolutions of random weights, all branches at full strength, whose outputs reach 5 cells; errors are measured. A third of the overlap is
  // dropped at each edge: where it is as long as the reach, nothing is missing.
  test.each([
    ["half blind", { size: 16, overlap: 4 }, 0.1],
    ["nearly", { size: 20, overlap: 9 }, 0.01],
    // sums in another order
    ["exact", { size: 28, overlap: 18 }, 1e-5],
  ])("decoding in tiles, %s: %o differs by less than %d of the signal", async (_, tiling, bound) => {
    const tiled = await inChunks(vae.decodeStream({ tiling }), latents, [1, 1]);
    expect(await relativeError(tiled, decoded)).toBeLessThan(bound);
  });

  test("encoding works alike", async () => {
    const tiled = await inChunks(vae.encodeStream({ tiling: { size: 28, overlap: 18 } }), video, [1, 4]);
    expect(await relativeError(tiled, vae.encode(video))).toBeLessThan(1e-5);
  });

  test("a linear code of single cells has no seams", async () => {
    // a fresh nano model is its patch shortcut alone, and blocks of pixels do not overlap
    const nano = await new CausalVae(tinyNano).realize();
    const some = new Rng(3).normal([1, 3, 2, 9, 7]);
    const tiled = await inChunks(nano.decodeStream({ tiling: { size: 4, overlap: 2 } }), some, [2]);
    // shares of two tiles sum to 1 but for float32's rounding
    expect(await relativeError(tiled, nano.decode(some))).toBeLessThan(1e-6);
  });

  test("frames must keep their size", async () => {
    const stream = vae.decodeStream({ tiling: { size: 24 } });
    await stream.push(latents.slice(2, 0, 1));
    await expect(stream.push(latents.slice(2, 0, 1).slice(4, 0, 8))).rejects.toThrow("frames must stay 2×40");
    stream.dispose();
  });
});

describe("decodeFrames", () => {
  test("gives what decode gives, in memory that stays the same from frame to frame", async () => {
    const vae = await awakeVae(tinyWan).realize();
    const latents = await new Rng(4).normal([1, 3, 9, 4, 4]).realize();
    const parts: number[][] = [];
    const live: number[] = [];
    for await (const chunk of vae.decodeFrames(latents)) {
      parts.push(await values(chunk));
      chunk.dispose();
      live.push((await memory()).live);
    }
    // the plans of the first and of later frames are made by then, and both sides of what each frame hands to the next
    expect(Math.max(...live.slice(4))).toBeLessThanOrEqual(Math.max(...live.slice(0, 4)));
    const chunks = vae.decode(latents).split([1, ...new Array<number>(8).fill(4)], 2);
    const once = await Promise.all(chunks.map(values));
    expect(parts.map((part) => part.length)).toEqual(once.map((part) => part.length));
    // chunks and the whole may sum in another order
    parts.forEach((part, i) =>
      part.forEach((value, k) => expect(Math.abs(value - (once[i]?.[k] ?? NaN))).toBeLessThan(1e-4)),
    );
  });
});
