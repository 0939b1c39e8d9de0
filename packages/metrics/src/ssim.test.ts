import { describe, expect, test } from "vitest";
import { OmniError, ShapeError } from "@omni/core";
import type { Picture } from "./picture.ts";
import { psnr } from "./psnr.ts";
import { ssim, UNIFORM_7 } from "./ssim.ts";

const picture = (height: number, width: number, channels: number, value: (i: number) => number): Picture => ({
  shape: [height, width, channels],
  data: Float64Array.from({ length: height * width * channels }, (_, i) => value(i)),
});
const wave = (i: number): number => 0.5 + 0.4 * Math.sin(i * 1.7);

describe("ssim", () => {
  test("is 1 for equal pictures and less for others", () => {
    const a = picture(16, 20, 3, wave);
    expect(ssim(a, a, { dataRange: 1 })).toBeCloseTo(1, 12);
    expect(
      ssim(
        a,
        picture(16, 20, 3, (i) => 1 - wave(i)),
        { dataRange: 1 },
      ),
    ).toBeLessThan(0);
  });

  test("of flat pictures is the formula of their brightness", () => {
    const [a, b] = [picture(11, 11, 1, () => 0.2), picture(11, 11, 1, () => 0.6)];
    const c1 = 0.01 ** 2;
    const expected = (2 * 0.2 * 0.6 + c1) / (0.2 ** 2 + 0.6 ** 2 + c1);
    expect(ssim(a, b, { dataRange: 1 })).toBeCloseTo(expected, 10);
    expect(ssim(a, b, { dataRange: 1, window: UNIFORM_7 })).toBeCloseTo(expected, 10);
  });

  test("of one uniform window is the formula with sample covariances", () => {
    const [a, b] = [picture(3, 3, 1, (i) => i), picture(3, 3, 1, (i) => i % 4)];
    const mean = (x: Picture): number => Array.from(x.data).reduce((s, v) => s + v, 0) / 9;
    const covariance = (x: Picture, y: Picture): number =>
      Array.from(x.data).reduce((s, v, i) => s + (v - mean(x)) * ((y.data[i] ?? NaN) - mean(y)), 0) / 8;
    const [c1, c2] = [(0.01 * 9) ** 2, (0.03 * 9) ** 2];
    const expected =
      ((2 * mean(a) * mean(b) + c1) * (2 * covariance(a, b) + c2)) /
      ((mean(a) ** 2 + mean(b) ** 2 + c1) * (covariance(a, a) + covariance(b, b) + c2));
    expect(ssim(a, b, { dataRange: 9, window: { kind: "uniform", size: 3 } })).toBeCloseTo(expected, 12);
  });

  test("keeps to the data's range", () => {
    const [a, b] = [picture(12, 14, 2, wave), picture(12, 14, 2, (i) => wave(i + 2))];
    const scaled = (x: Picture): Picture => ({ shape: x.shape, data: Array.from(x.data, (v) => 255 * v) });
    expect(ssim(scaled(a), scaled(b), { dataRange: 255 })).toBeCloseTo(ssim(a, b, { dataRange: 1 }), 10);
  });

  test("refuses pictures that differ, are too small, or windows that have no middle", () => {
    const small = picture(8, 12, 1, wave);
    expect(() => ssim(small, picture(12, 8, 1, wave), { dataRange: 1 })).toThrow(ShapeError);
    expect(() => ssim(small, small, { dataRange: 1 })).toThrow("pictures must be at least 11×11, got 8×12");
    expect(() => ssim(small, small, { dataRange: 1, window: { kind: "uniform", size: 4 } })).toThrow(OmniError);
  });
});

describe("psnr", () => {
  test("is 10 log₁₀(R² / mean square error)", () => {
    const [a, b] = [picture(2, 2, 1, () => 10), picture(2, 2, 1, (i) => (i === 0 ? 20 : 10))];
    // mean square error 100 / 4
    expect(psnr(a, b, { dataRange: 255 })).toBeCloseTo(10 * Math.log10(255 ** 2 / 25), 12);
    expect(psnr(a, a, { dataRange: 255 })).toBe(Infinity);
  });

  test("refuses pictures that differ in shape", () => {
    expect(() => psnr(picture(2, 2, 1, wave), picture(2, 2, 3, wave), { dataRange: 1 })).toThrow(
      "psnr: both pictures must be [height, width, channels] of one shape, got [2, 2, 1] and [2, 2, 3]",
    );
  });
});
