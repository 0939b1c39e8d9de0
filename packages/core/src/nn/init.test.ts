import { describe, expect, test } from "vitest";
import { ShapeError } from "../base/errors.ts";
import { Rng } from "../tensor/random.ts";
import { tensor } from "../tensor/create.ts";
import { difference } from "../testing/allclose.ts";
import {
  fans,
  gainOf,
  type Initializer,
  kaimingNormal,
  kaimingUniform,
  normal,
  orthogonal,
  truncatedNormal,
  uniform,
  xavierNormal,
  xavierUniform,
} from "./init.ts";

const SHAPE = [60, 20, 5];
// fanIn 100, fanOut 300
async function moments(init: Initializer): Promise<{ mean: number; std: number; top: number }> {
  const values = Array.from(await init(SHAPE, new Rng(5)).data());
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
  return { mean, std: Math.sqrt(variance), top: values.reduce((a, b) => Math.max(a, Math.abs(b)), 0) };
}

describe("initialisers", () => {
  test("count taps in their fans", () => {
    expect(fans(SHAPE)).toEqual({ fanIn: 100, fanOut: 300 });
    expect(() => fans([3])).toThrow(ShapeError);
  });

  test("know the gains of nonlinearities", () => {
    // PyTorch's table of calculate_gain
    expect(gainOf("leaky-relu", 0.2)).toBeCloseTo(Math.sqrt(2 / 1.04), 12);
    expect([gainOf("linear"), gainOf("sigmoid"), gainOf("tanh"), gainOf("selu")]).toEqual([1, 1, 5 / 3, 0.75]);
    expect(gainOf("relu")).toBe(Math.SQRT2);
  });

  // deviations by their formulas; of a uniform distribution, bound / √3
  test.each<[string, Initializer, number, "uniform" | "normal"]>([
    ["uniform", uniform(-2, 2), 2 / Math.sqrt(3), "uniform"],
    ["normal", normal({ std: 0.5 }), 0.5, "normal"],
    ["xavierUniform", xavierUniform(2), 2 * Math.sqrt(2 / 400), "uniform"],
    ["xavierNormal", xavierNormal(2), 2 * Math.sqrt(2 / 400), "normal"],
    ["kaimingUniform", kaimingUniform(), Math.sqrt(2 / 100), "uniform"],
    ["kaimingUniform like PyTorch's layers", kaimingUniform({ slope: Math.sqrt(5) }), 0.1 / Math.sqrt(3), "uniform"],
    ["kaimingNormal", kaimingNormal({ fan: "out", nonlinearity: "relu" }), Math.sqrt(2 / 300), "normal"],
  ])("%s has its deviation", async (_, init, deviation, kind) => {
    const { mean, std, top } = await moments(init);
    // standard errors of 6000 draws: 1.3 % of the mean's unit, 0.9 % of the deviation; four of them
    expect(Math.abs(mean)).toBeLessThan(0.052 * deviation);
    expect(Math.abs(std / deviation - 1)).toBeLessThan(0.037);
    if (kind === "uniform") expect(top).toBeLessThanOrEqual(deviation * Math.sqrt(3) * (1 + 1e-6));
    else expect(top).toBeGreaterThan(3 * deviation);
  });

  test("truncatedNormal keeps within its bounds, with the deviation of a truncated normal", async () => {
    const { mean, std, top } = await moments(truncatedNormal({ std: 0.02, low: -0.04, high: 0.04 }));
    expect(top).toBeLessThanOrEqual(0.04 * (1 + 1e-6));
    // within two deviations the variance is 1 − 2·2φ(2)/(2Φ(2) − 1) = 0.7737
    expect(Math.abs(std / (0.02 * Math.sqrt(0.7737)) - 1)).toBeLessThan(0.037);
    expect(Math.abs(mean)).toBeLessThan(0.052 * 0.02);
  });

  test("truncatedNormal takes bounds far from the mean", async () => {
    const { top, std } = await moments(truncatedNormal({ low: -20, high: 20 }));
    expect(Math.abs(std - 1)).toBeLessThan(0.037);
    expect(top).toBeGreaterThan(3);
  });

  test("erfinv undoes erf", async () => {
    // erf at 0, 0.1, 0.5, 1, 2, 3 from Abramowitz & Stegun, table 7.1
    const y = [0, 0.1124629160182849, 0.5204998778130465, 0.8427007929497149, 0.9953222650189527, -0.9999779095030014];
    // near ±1 the rounding of y to f32 moves x: by 6e-8 / erf′(3) = 4e-4
    expect(
      difference(await tensor(y).erfinv().data(), [0, 0.1, 0.5, 1, 2, -3], { absolute: 1e-6, relative: 2e-4 }),
    ).toBeNull();
  });

  test.each([
    [[3, 7], 2],
    [[7, 3], 1],
    [[4, 2, 2], 1],
  ])("orthogonal gives %j orthonormal rows or columns times the gain", async (shape, gain) => {
    const w = await orthogonal(shape, new Rng(4), gain);
    const matrix = w.reshape([shape[0] ?? 0, -1]);
    const [rows = 0, columns = 0] = matrix.shape;
    const gram = await (rows <= columns ? matrix.matmul(matrix.transpose()) : matrix.transpose().matmul(matrix)).data();
    const n = Math.min(rows, columns);
    const expected = Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? gain ** 2 : 0));
    expect(difference(gram, expected, { absolute: 1e-6, relative: 1e-6 })).toBeNull();
  });
});
