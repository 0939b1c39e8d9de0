import { describe, expect, test } from "vitest";
import { compression, parseVaeConfig, vaePresets } from "./config.ts";

describe.each(Object.entries(vaePresets))("preset %s", (_name, config) => {
  test("survives JSON", () => {
    expect(parseVaeConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
  });

  test("compresses 4×8×8", () => {
    expect(compression(config)).toEqual({ temporal: 4, spatial: 8 });
  });
});

describe("parseVaeConfig", () => {
  test.each([
    [{ ...vaePresets.nano, zDim: "16" }, "zDim must be a whole number"],
    [{ ...vaePresets.nano, temporalKernel: [1, 2, 3] }, "temporalKernel[1] must be one of 1, 3"],
    [{ ...vaePresets.nano, decoderDims: [48] }, "decoderDims must have 3 entries"],
    [{ ...vaePresets.nano, colour: "red" }, '"colour"'],
    [null, "must be an object"],
  ])("refuses a config that does not fit (%#)", (json, message) => {
    expect(() => parseVaeConfig(json)).toThrow(message);
  });
});
