import { describe, expect, test } from "vitest";
import { ConfigError } from "./config-error.ts";
import { parseDitConfig, presets } from "./config.ts";
import { MMDiT } from "./model.ts";

describe("parseDitConfig", () => {
  test.each(Object.entries(presets))("accepts the preset %s after a trip through JSON", (_, preset) => {
    expect(parseDitConfig(JSON.parse(JSON.stringify(preset)))).toEqual(preset);
  });

  test.each([
    [{ depth: undefined }, "DitConfig.depth: must be a whole number of at least 0, got undefined"],
    [{ colour: 1 }, "DitConfig.colour: unknown field"],
    [{ textRope: "both" }, 'DitConfig.textRope: must be "none" or "mm", got both'],
    [{ width: 190 }, "DitConfig.width: must be a multiple of headDim 32, got 190"],
    [{ ropeAxes: [4, 4, 4] }, "DitConfig.ropeAxes: must sum to headDim / 2 = 16, got 12"],
    [{ doubleBlocks: 7 }, "DitConfig.doubleBlocks: must be at most depth 6, got 7"],
  ])("rejects %o", (change, message) => {
    expect(() => parseDitConfig({ ...presets.nano, ...change })).toThrow(new ConfigError(message));
  });
});

describe("presets", () => {
  // parameters are lazy: counting needs no memory, not even for the largest
  test.each([
    ["nano", 4e6, 6e6],
    ["small", 0.08e9, 0.12e9],
    ["base", 1.3e9, 1.5e9],
    ["seaweed-8b", 7.5e9, 8.5e9],
  ] as const)("%s has between %d and %d parameters", (name, low, high) => {
    const count = new MMDiT(presets[name]).numParameters();
    expect(count).toBeGreaterThan(low);
    expect(count).toBeLessThan(high);
  });
});
