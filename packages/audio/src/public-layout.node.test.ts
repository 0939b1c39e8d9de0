import { readFileSync } from "node:fs";
import type { Tensor } from "@omni/core";
import { publishedState } from "@omni/core/testing";
import { describe, expect, test } from "vitest";
import { presets } from "./config.ts";
import { Wav2Vec2Ctc } from "./ctc.ts";
import { ctcFromUpstream, fromUpstream } from "./key-map.ts";
import { Wav2Vec2Encoder } from "./model.ts";

// facebook/wav2vec2-base-960h: 213 tensors
const list = readFileSync(new URL("../fixtures/wav2vec2-base-960h.tsv", import.meta.url), "utf8");
const published = Object.entries(publishedState(list));

describe("facebook/wav2vec2-base-960h", () => {
  test("fills the encoder with its head, every tensor once and in shape", () => {
    const network = new Wav2Vec2Ctc(presets.base);
    const left = new Set(Object.keys(network.parameters()));
    for (const [name] of published) expect(left.delete(ctcFromUpstream(name))).toBe(true);
    expect([...left]).toEqual([]);
    expect(() => network.loadStateDict(Object.fromEntries(published))).not.toThrow();
    expect(published).toHaveLength(213);
  });

  test("has 94.396 M parameters, as published", () => {
    expect(new Wav2Vec2Ctc(presets.base).numParameters()).toBe(94_396_320);
  });

  test("fills the encoder alone, without head and mask", () => {
    const state = published.flatMap(([name, tensor]): [string, Tensor][] => {
      const ours = fromUpstream(name);
      if (ours === undefined) throw new Error(`${name} must be known`);
      return ours === null ? [] : [[ours, tensor]];
    });
    const unused = published.filter(([name]) => fromUpstream(name) === null).map(([name]) => name);
    expect(unused).toEqual(["wav2vec2.masked_spec_embed", "lm_head.weight", "lm_head.bias"]);
    expect(() => new Wav2Vec2Encoder(presets.base).loadStateDict(Object.fromEntries(state))).not.toThrow();
  });

  test("is spelled in torch 2's way too", () => {
    const place = "wav2vec2.encoder.pos_conv_embed.conv";
    expect(ctcFromUpstream(`${place}.parametrizations.weight.original0`)).toBe(`${place}.weight_g`);
    expect(ctcFromUpstream(`${place}.parametrizations.weight.original1`)).toBe(`${place}.weight_v`);
  });
});
