import { expect, test } from "vitest";
import { fitCurve, wave } from "./fit-curve.ts";

test("the fit comes near the wave behind the points", async () => {
  let mean = Infinity;
  for await (const { step, gridX, gridY } of fitCurve({ every: 200 })) {
    mean = gridY.reduce((sum, y, i) => sum + Math.abs(y - wave(gridX[i] ?? 0)), 0) / gridY.length;
    // before training the fit is nowhere near a wave whose mean height is 0.28
    if (step === 1) expect(mean).toBeGreaterThan(0.15);
  }
  // within the noise of single points, whose mean size is 0.064
  expect(mean).toBeLessThan(0.064);
});
