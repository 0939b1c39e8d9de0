import { readFileSync } from "node:fs";
import { zeros } from "@omni/core";
import type { Tensor } from "@omni/core";
import { describe, expect, test } from "vitest";
import { presets } from "./config.ts";
import { fromUpstream } from "./key-map.ts";
import { T5Encoder } from "./model.ts";

/** A published list of names and sizes as tensors without memory; `{0-23}` in a name stands for that many layers. */
function publishedState(file: string): [string, Tensor][] {
  const lines = readFileSync(new URL(`../fixtures/${file}`, import.meta.url), "utf8")
    .trim()
    .split("\n");
  return lines.flatMap((line) => {
    const [name = "", sizes = ""] = line.split("\t");
    const [range, last] = /\{0-(\d+)\}/.exec(name) ?? [];
    const names = range ? Array.from({ length: Number(last) + 1 }, (_, i) => name.replace(range, String(i))) : [name];
    return names.map((key): [string, Tensor] => [key, zeros(sizes.split("x").map(Number))]);
  });
}

describe("Wan's umt5-xxl encoder", () => {
  // models_t5_umt5-xxl-enc-bf16: 242 tensors
  const published = publishedState("umt5-xxl-wan.tsv");
  const network = new T5Encoder(presets["umt5-xxl"]);

  test("fills ours, every tensor once and in shape", () => {
    const left = new Set(Object.keys(network.parameters()));
    for (const [name] of published) expect(left.delete(fromUpstream(name) ?? name)).toBe(true);
    expect([...left]).toEqual([]);
    const state = Object.fromEntries(published.map(([name, tensor]) => [fromUpstream(name) ?? name, tensor]));
    expect(() => network.loadStateDict(state)).not.toThrow();
    expect(published).toHaveLength(242);
  });

  test("has 5,680.9 M parameters, as published", () => {
    expect(network.numParameters()).toBe(5_680_910_336);
  });
});
