import { averagePool2d, interpolate, realize, type Tensor, tensor } from "@omni/core";
import { kerasState } from "./keras-weights.ts";
import { ResidualDenseNetwork } from "./network.ts";

/** RGBA pixels, row by row: what a canvas and `@omni/media` hold. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

/** How many times wider and higher pictures become. */
export const FACTOR = 2;

/**
 * The network with its published weights.
 *
 * @param read gives a file of the folder esrgan-slim-2x
 */
export async function openNetwork(read: (name: string) => Promise<ArrayBuffer>): Promise<ResidualDenseNetwork> {
  const [manifest, values] = await Promise.all([read("model.json"), read("group1-shard1of1.bin")]);
  const network = new ResidualDenseNetwork();
  network.loadStateDict(kerasState(new TextDecoder().decode(manifest), values));
  return network.realize();
}

/** A picture made twice as large by the network, and by bicubic interpolation to compare. */
export async function upscale(
  network: ResidualDenseNetwork,
  picture: Picture,
): Promise<{ sharp: Picture; cubic: Picture }> {
  const x = toTensor(picture);
  const sharp = toBytes(network.forward(x));
  const cubic = toBytes(interpolate(x, { scaleFactor: FACTOR, mode: "cubic" }));
  await realize([sharp, cubic]);
  return { sharp: await toPicture(sharp), cubic: await toPicture(cubic) };
}

/** A picture made half as large, each pixel the mean of four; what is left over at the right and below is dropped. */
export async function shrink(picture: Picture): Promise<Picture> {
  return toPicture(toBytes(averagePool2d(toTensor(picture), FACTOR)));
}

/** Peak signal-to-noise ratio of two pictures of one size, in dB: 10·log10(255² / mean squared difference). */
export function psnr(a: Picture, b: Picture): number {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) if (i % 4 < 3) sum += ((a.data[i] ?? 0) - (b.data[i] ?? 0)) ** 2;
  return 10 * Math.log10((255 ** 2 * a.width * a.height * 3) / sum);
}

/** [1, 3, H, W] in [0, 1]. */
function toTensor({ width, height, data }: Picture): Tensor {
  const rgba = tensor(new Uint8Array(data), { shape: [1, height, width, 4] }).cast("f32");
  return rgba.slice(3, 0, 3).permute([0, 3, 1, 2]).div(255);
}

const toBytes = (x: Tensor): Tensor => x.clamp(0, 1).mul(255).round();

async function toPicture(x: Tensor): Promise<Picture> {
  const [, , height = 0, width = 0] = x.shape;
  const planes = await x.data();
  const area = width * height;
  const data = new Uint8ClampedArray(4 * area).fill(255);
  for (let c = 0; c < 3; c++) for (let i = 0; i < area; i++) data[4 * i + c] = planes[c * area + i] ?? 0;
  return { width, height, data };
}
