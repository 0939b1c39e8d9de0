import { beforeAll, describe, expect, test } from "vitest";
import { concat, grad, realize, Rng, ShapeError } from "@omni/core";
import type { Tensor } from "@omni/core";
import { vaePresets } from "./config.ts";
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
  ["Wan's layout", tinyWan, 4],
])("CausalVae, %s", (_name, config, edge) => {
  const vae = awakeVae(config);
  const video = new Rng(21).uniform([1, 3, 9, 2 * edge, edge], -1, 1);
  const latents = new Rng(22).normal([1, 3, 3, 2, 1]);
  let encoded: Tensor;
  let decoded: Tensor;
  beforeAll(async () => {
    await realize([...Object.values(vae.parameters()), video, latents]);
    encoded = await vae.encode(video).realize();
    decoded = await vae.decode(latents).realize();
  });

  test("nine frames become three latent frames and come back", () => {
    expect(encoded.shape).toEqual([1, 3, 3, 2, 1]);
    expect(decoded.shape).toEqual([1, 3, 9, 2 * edge, edge]);
  });

  test("latent frame n ignores frames after 4n", async () => {
    const later = new Rng(23).uniform([1, 3, 4, 2 * edge, edge]);
    const changed = await concat([video.slice(2, 0, 5), later], { axis: 2 }).realize();
    const other = await vae.encode(changed).realize();
    expect(await values(other.slice(2, 0, 2))).toEqual(await values(encoded.slice(2, 0, 2)));
    expect(await values(other.slice(2, 2))).not.toEqual(await values(encoded.slice(2, 2)));
  });

  test("video up to frame 4n ignores latent frames after n", async () => {
    const later = new Rng(24).normal([1, 3, 1, 2, 1]);
    const changed = await concat([latents.slice(2, 0, 2), later], { axis: 2 }).realize();
    const other = await vae.decode(changed).realize();
    expect(await values(other.slice(2, 0, 5))).toEqual(await values(decoded.slice(2, 0, 5)));
    expect(await values(other.slice(2, 5))).not.toEqual(await values(decoded.slice(2, 5)));
  });

  test("encoding in chunks equals encoding at once, the first frame like an image", async () => {
    const stream = vae.encodeStream();
    const parts: Tensor[] = [];
    for (const chunk of video.split([1, 4, 4], 2)) parts.push(await stream.push(chunk));
    stream.dispose();
    await expectClose(concat(parts, { axis: 2 }), encoded);
  });

  test("decoding in chunks equals decoding at once", async () => {
    const stream = vae.decodeStream();
    const parts: Tensor[] = [];
    for (const chunk of latents.split([1, 1, 1], 2)) parts.push(await stream.push(chunk));
    stream.dispose();
    await expectClose(concat(parts, { axis: 2 }), decoded);
  });

  test("gradients reach every parameter", async () => {
    const { mean, logvar } = vae.encodeMoments(video.slice(2, 0, 5));
    const loss = vae.decodeRaw(mean).square().mean().add(logvar.square().mean());
    const parameters = vae.parameters();
    const gradients = grad(loss, Object.values(parameters));
    await realize(gradients);
    for (const [i, name] of Object.keys(parameters).entries()) {
      const largest = Math.max(...(await values(gradients[i] ?? loss)).map(Math.abs));
      expect(largest, name).toBeGreaterThan(0);
    }
  });

  test("refuses clips and latents that do not fit", async () => {
    expect(() => vae.encode(video.slice(2, 0, 4))).toThrow(ShapeError);
    expect(() => vae.encode(video.slice(3, 0, edge - 1))).toThrow("pad or crop it");
    expect(() => vae.decode(latents.slice(1, 0, 2))).toThrow("latents must be [B, 3, T, h, w]");
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
