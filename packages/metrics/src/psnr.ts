import { expectPair, type Picture } from "./picture.ts";

/**
 * Peak signal-to-noise ratio in dB: 10 log₁₀(R² / mean (a − b)²); infinite for equal pictures.
 *
 * @param options.dataRange R, the distance between the smallest and the largest possible value: 1 or 255
 * @throws ShapeError unless both are [H, W, C] of one shape
 */
export function psnr(a: Picture, b: Picture, { dataRange }: { readonly dataRange: number }): number {
  const [height, width, channels] = expectPair("psnr", a, b);
  const size = height * width * channels;
  let total = 0;
  for (let i = 0; i < size; i++) total += ((a.data[i] ?? NaN) - (b.data[i] ?? NaN)) ** 2;
  return 10 * Math.log10((dataRange * dataRange * size) / total);
}
