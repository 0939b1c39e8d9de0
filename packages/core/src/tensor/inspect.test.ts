import { describe, expect, test } from "vitest";
import { describeGraph, graphSvg } from "./inspect.ts";
import { tensor } from "./create.ts";

describe("describeGraph and graphSvg", () => {
  test("show what is recorded, and a leaf once it has run", async () => {
    const x = tensor([1, 2]);
    const y = x.exp();
    const z = y.sum();
    expect(describeGraph([y, z])).toBe(
      "%0 = leaf (host) f32 [2]\n%1 = exp(%0) f32 [2]\n%2 = sum 1 0(%1) f32 [1]\n%3 = reshape(%2) f32 []\nreturn %1, %3",
    );
    await y.realize();
    expect(describeGraph([y])).toBe("%0 = leaf (device) f32 [2]\nreturn %0");
    expect(graphSvg([y])).toContain(">leaf (device)<");
    expect(graphSvg([z])).toContain(">sum 1 0<");
  });
});
