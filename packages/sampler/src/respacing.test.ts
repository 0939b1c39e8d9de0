import { describe, expect, test } from "vitest";
import { betaDistribution, betaQuantile } from "./beta-quantile.ts";
import { respaced } from "./respacing.ts";

describe("betaDistribution", () => {
  // closed forms: Beta(1,1) is uniform, Beta(2,2) has 3x² - 2x³, Beta(½,½) is the arcsine law
  test.each([
    [0.3, 1, 1, 0.3],
    [0.2, 2, 2, 3 * 0.04 - 2 * 0.008],
    [0.9, 2, 2, 3 * 0.81 - 2 * 0.729],
    [0.1, 0.5, 0.5, (2 / Math.PI) * Math.asin(Math.sqrt(0.1))],
    [0.999, 0.5, 0.5, (2 / Math.PI) * Math.asin(Math.sqrt(0.999))],
  ])("at %d of Beta(%d, %d) is %d", (x, a, b, p) => {
    expect(betaDistribution(x, a, b)).toBeCloseTo(p, 12);
  });

  test("is undone by the quantile", () => {
    for (const p of [0, 1e-6, 0.1, 0.5, 0.99, 1])
      expect(betaDistribution(betaQuantile(p, 0.6, 0.6), 0.6, 0.6)).toBeCloseTo(p, 10);
  });
});

describe("respaced", () => {
  const times = [1, 0.6, 0.2, 0.01];

  test.each(["karras", "exponential", "beta"] as const)("%s keeps both ends and falls", (respacing) => {
    const moved = respaced(times, respacing);
    expect(moved[0]).toBeCloseTo(1, 12);
    expect(moved.at(-1)).toBeCloseTo(0.01, 12);
    expect([...moved].sort((a, b) => b - a)).toEqual(moved);
  });

  test("exponential times have one ratio", () => {
    const [a = 0, b = 0, c = 0, d = 0] = respaced(times, "exponential");
    expect(b / a).toBeCloseTo(c / b, 12);
    expect(c / b).toBeCloseTo(d / c, 12);
  });

  test("karras times have evenly spaced 7th roots", () => {
    const [a = 0, b = 0, c = 0] = respaced(times, "karras").map((t) => t ** (1 / 7));
    expect(a - b).toBeCloseTo(b - c, 12);
  });
});
