import { beforeAll, describe, expect, test } from "vitest";
import { concat, grad, realize, Rng, ShapeError } from "@omni/core";
import type { Tensor } from "@omni/core";
import { vaePresets } from "./config.ts";
import { flops } from "./flops.ts";
import { CausalVae } from "./model.ts";
import { awakeVae, tinyNano, tinyWan } from "./tiny.fixture.ts";

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];

/** Chunks and the whole may sum in another order: float32 through some twenty layers of order 1. */
const chunkTolerance = 1e-4;

async function expectClose(a: Tensor, b: Tensor): Promise<void> {
  expect(a.shape).toEqual(b.shape);
  const expected = await values(b);
  const worst = (await values(a)).reduce((max, value, i) => Math.max(max, Math.abs(value - (expected[i] ?? NaN))), 0);
  expect(worst).toBeLessThan(chunkTolerance);
}

describe.each([
  ["nano's layout", tinyNano, 4],
  ["Wan's layout", tinyWan, 8],
])("CausalVae, %s", (_name, config, edge) => {
  const vae = awakeVae(config);
  const video = new Rng(21).uniform([1, 3, 9, 2 * edge, edge], -1, 1);
  const latents = new Rng(22).normal([1, 3, 3, 2, 1]);
  beforeAll(() => realize([...Object.values(vae.parameters()), video, latents]));

  test("nine frames become three latent frames and come back", () => {
    expect(vae.encode(video).shape).toEqual([1, 3, 3, 2, 1]);
    expect(vae.decode(latents).shape).toEqual([1, 3, 9, 2 * edge, edge]);
  });

  test("an image is a video of one frame", async () => {
    await expectClose(vae.encode(video.slice(2, 0, 1)), vae.encode(video).slice(2, 0, 1));
    await expectClose(vae.decode(latents.slice(2, 0, 1)), vae.decode(latents).slice(2, 0, 1));
  });

  test("latent frame n ignores frames after 4n", async () => {
    const changed = concat([video.slice(2, 0, 5), new Rng(23).uniform([1, 3, 4, 2 * edge, edge])], { axis: 2 });
    const [a, b] = [vae.encode(video), vae.encode(changed)];
    expect(await values(a.slice(2, 0, 2))).toEqual(await values(b.slice(2, 0, 2)));
    expect(await values(a.slice(2, 2))).not.toEqual(await values(b.slice(2, 2)));
  });

  test("video up to frame 4n ignores latent frames after n", async () => {
    const changed = concat([latents.slice(2, 0, 2), new Rng(24).normal([1, 3, 1, 2, 1])], { axis: 2 });
    const [a, b] = [vae.decodeRaw(latents), vae.decodeRaw(changed)];
    expect(await values(a.slice(2, 0, 5))).toEqual(await values(b.slice(2, 0, 5)));
    expect(await values(a.slice(2, 5))).not.toEqual(await values(b.slice(2, 5)));
  });

  test("encoding in chunks equals encoding at once", async () => {
    const stream = vae.encodeStream();
    const parts: Tensor[] = [];
    for (const chunk of video.split([1, 4, 4], 2)) parts.push(await stream.push(chunk));
    stream.dispose();
    await expectClose(concat(parts, { axis: 2 }), vae.encode(video));
  });

  test("decoding in chunks equals decoding at once", async () => {
    const stream = vae.decodeStream();
    const parts: Tensor[] = [];
    for (const chunk of latents.split([1, 1, 1], 2)) parts.push(await stream.push(chunk));
    stream.dispose();
    await expectClose(concat(parts, { axis: 2 }), vae.decode(latents));
  });

  test("gradients reach every parameter", async () => {
    const { mean, logvar } = vae.encodeMoments(video);
    const loss = vae.decodeRaw(mean).square().mean().add(logvar.square().mean());
    const parameters = vae.parameters();
    const gradients = grad(loss, Object.values(parameters));
    const sizes = gradients.map((gradient) => gradient.abs().max());
    await realize(sizes);
    for (const [i, name] of Object.keys(parameters).entries()) {
      expect(await sizes[i]?.item(), name).toBeGreaterThan(0);
    }
  });

  test("refuses clips and latents that do not fit", async () => {
    expect(() => vae.encode(video.slice(2, 0, 4))).toThrow(ShapeError);
    expect(() => vae.encode(video.slice(3, 0, edge - 1))).toThrow("pad or crop it");
    expect(() => vae.decode(video)).toThrow("latents must be [B, 3, T, h, w]");
    const stream = vae.encodeStream();
    await stream.push(video.slice(2, 0, 1));
    await expect(stream.push(video.slice(2, 0, 5))).rejects.toThrow("video must be [B, 3, 4n");
    stream.dispose();
  });
});

describe("CausalVae", () => {
  test("a fresh residual branch is silent: the last convolution of each starts at zero", async () => {
    const fresh = new CausalVae(tinyNano).stateDict();
    const names = Object.keys(fresh).filter((name) => name.endsWith("conv2.weight"));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(await fresh[name]?.abs().max().item(), name).toBe(0);
  });

  test("normalises by its statistics and undoes it", async () => {
    const vae = new CausalVae(tinyNano);
    const raw = new Rng(25).normal([1, 3, 1, 2, 2]);
    const [first] = await values(raw);
    expect((await values(vae.normalize(raw)))[0]).toBeCloseTo(((first ?? 0) - 0.5) / 1, 5);
    await expectClose(vae.denormalize(vae.normalize(raw)), raw);
    vae.setLatentStatistics({ mean: [1, 1, 1], std: [2, 2, 2] });
    expect((await values(vae.normalize(raw)))[0]).toBeCloseTo(((first ?? 0) - 1) / 2, 5);
    expect(() => vae.setLatentStatistics({ mean: [0], std: [1] })).toThrow("must have 3 means");
  });

  test("presets have their published sizes", () => {
    const nano = new CausalVae(vaePresets.nano).numParameters();
    expect(nano).toBeLessThan(2.5e6);
    expect(new CausalVae(vaePresets.wan21).numParameters()).toBe(126_892_531); // sum over Wan2.1_VAE.pth
  });
});

describe("flops", () => {
  test("nano codes two seconds of 64×64 within its budget", () => {
    const { encode, decode, total } = flops(vaePresets.nano, { frames: 25, height: 64, width: 64 });
    expect(total).toBe(encode + decode);
    expect(total).toBeGreaterThan(1.5e9);
    expect(total).toBeLessThan(2.0e9);
  });

  test("counts a convolution as two operations a multiply-add", () => {
    // one 1×1×1 convolution of 3·16 to 32 channels over 25·16·16 positions more
    const shallow = { ...vaePresets.nano, encoderBlocks: 0 };
    const wide = { ...shallow, pixelKernel: 3 } as const;
    const size = { frames: 25, height: 64, width: 64 };
    const stem = 2 * 48 * 32 * 25 * 16 * 16;
    expect(flops(wide, size).encode - flops(shallow, size).encode).toBe(26 * stem);
  });

  test("scales with the batch", () => {
    const size = { frames: 5, height: 32, width: 64 };
    const one = flops(vaePresets.wan21, size).total;
    expect(flops(vaePresets.wan21, { ...size, batch: 3 }).total).toBe(3 * one);
  });
});
