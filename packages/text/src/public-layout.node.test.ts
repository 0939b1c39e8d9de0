import { readFileSync } from "node:fs";
import { keySources } from "@omni/core/checkpoint";
import { publishedState } from "@omni/core/testing";
import { describe, expect, test } from "vitest";
import { presets } from "./config.ts";
import { wanRules } from "./key-map.ts";
import { T5Encoder } from "./model.ts";

describe("Wan's umt5-xxl encoder", () => {
  // models_t5_umt5-xxl-enc-bf16: 242 tensors
  const published = publishedState(readFileSync(new URL("../fixtures/umt5-xxl-wan.tsv", import.meta.url), "utf8"));
  const network = new T5Encoder(presets["umt5-xxl"]);

  test("fills ours, every tensor once and in shape", () => {
    const ours = network.parameters();
    const wanted = [...keySources(Object.keys(ours), wanRules)].flatMap(([name, { keys }]) =>
      keys.map((key) => [key, ours[name]?.shape] as const),
    );
    expect(wanted).toHaveLength(242);
    expect(Object.fromEntries(wanted)).toEqual(
      Object.fromEntries(Object.entries(published).map(([name, { shape }]) => [name, shape])),
    );
  });

  test("the published shapes tell the config", () => {
    const layout = T5Encoder.format.layouts.find(({ matches }) => matches(published));
    expect(layout?.name).toBe("umt5-wan");
    expect(layout?.config(published)).toEqual(presets["umt5-xxl"]);
  });

  test("has 5,680.9 M parameters, as published", () => {
    expect(network.numParameters()).toBe(5_680_910_336);
  });
});
