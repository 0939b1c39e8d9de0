import { tensor } from "@omni/core";
import { describe, expect, test } from "vitest";
import { lossWeight } from "./loss-weight.ts";

describe("lossWeight", () => {
  test.each([
    ["none", 1],
    ["sigma-sqrt", 4],
    // 2 / (π (1 - 1 + ½))
    ["cosmap", 4 / Math.PI],
  ] as const)("%s at t = ½ is %d", async (weighting, weight) => {
    expect(await lossWeight(tensor([0.5]), weighting).item()).toBeCloseTo(weight, 5);
  });
});
