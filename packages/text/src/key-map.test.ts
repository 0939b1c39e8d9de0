import { describe, expect, test } from "vitest";
import { presets } from "./config.ts";
import { fromUpstream } from "./key-map.ts";
import { T5Encoder } from "./model.ts";

describe("fromUpstream", () => {
  const ours = Object.keys(new T5Encoder({ ...presets["umt5-xxl"], layers: 2 }).parameters());

  test("takes Wan's names of umt5-xxl to ours, each once", () => {
    // checkpoint order: models_t5_umt5-xxl-enc-bf16
    const block = (i: number): string[] =>
      [
        "norm1",
        "attn.q",
        "attn.k",
        "attn.v",
        "attn.o",
        "norm2",
        "ffn.gate.0",
        "ffn.fc1",
        "ffn.fc2",
        "pos_embedding.embedding",
      ].map((name) => `blocks.${i}.${name}.weight`);
    const upstream = ["token_embedding.weight", ...block(0), ...block(1), "norm.weight"];
    expect(new Set(upstream.map(fromUpstream))).toEqual(new Set(ours));
  });

  test("takes transformers' names as they are and drops the doubled embedding", () => {
    expect(ours.map(fromUpstream)).toEqual(ours);
    expect(fromUpstream("encoder.embed_tokens.weight")).toBeNull();
  });

  test("knows a stranger", () => {
    expect(fromUpstream("visual.weight")).toBeUndefined();
  });
});
