import { readFile } from "node:fs/promises";
import { tensor } from "@omni/core";
import { readImage } from "@omni/media";
import { expect, test } from "vitest";
import { kerasState } from "./keras-weights.ts";
import { openNetwork, psnr, shrink, upscale } from "./upscale.ts";

const read = async (name: string): Promise<ArrayBuffer> =>
  Uint8Array.from(await readFile(new URL(name, import.meta.url))).buffer;
const weights = (name: string): Promise<ArrayBuffer> => read(`esrgan-slim-2x/${name}`);

interface Golden {
  readonly input: { readonly height: number; readonly width: number; readonly pixels: readonly number[] };
  readonly output: { readonly height: number; readonly width: number; readonly pixels: readonly number[] };
}

test("the imported network gives TensorFlow.js's numbers", async () => {
  // written by @tensorflow/tfjs-layers 4.22.0 on its CPU backend from the same two files, rounded to six digits
  const { input, output } = JSON.parse(new TextDecoder().decode(await read("golden.json"))) as Golden;
  const network = await openNetwork(weights);
  const x = tensor(Float32Array.from(input.pixels), { shape: [1, input.height, input.width, 3] });
  const y = network.forward(x.permute([0, 3, 1, 2])).permute([0, 2, 3, 1]);
  expect(y.shape).toEqual([1, output.height, output.width, 3]);
  const got = await y.data();
  const worst = output.pixels.reduce((most, want, i) => Math.max(most, Math.abs(want - (got[i] ?? NaN))), 0);
  // half of the last rounded digit, and sums of up to 1,600 products of order 0.1 in another order
  expect(worst).toBeLessThan(5e-6);
});

test("a picture that was made smaller comes back near the original", async () => {
  const truth = await readImage(new Uint8Array(await read("cat.png")));
  const { sharp, cubic } = await upscale(await openNetwork(weights), await shrink(truth));
  expect([sharp.width, sharp.height]).toEqual([truth.width, truth.height]);
  // bicubic gives 31.7 dB; a network that is trained to look sharp loses a little of that, a wrong one loses 10
  expect(psnr(sharp, truth)).toBeGreaterThan(30);
  expect(psnr(cubic, truth)).toBeGreaterThan(31);
});

test("weights that do not fit their manifest are refused", async () => {
  const manifest = new TextDecoder().decode(await weights("model.json"));
  expect(() => kerasState(manifest, new ArrayBuffer(8))).toThrow(/888300 bytes, got 8/);
  expect(() => kerasState("{}", new ArrayBuffer(8))).toThrow(TypeError);
});
