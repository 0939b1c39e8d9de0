import { keySources } from "@omni/core/checkpoint";
import { describe, expect, test } from "vitest";
import { presets } from "./config.ts";
import { encoderNames, wanRules } from "./key-map.ts";
import { T5Encoder } from "./model.ts";

const ours = Object.keys(new T5Encoder({ ...presets["umt5-xxl"], layers: 2 }).parameters());

test("wanRules take our names to Wan's, each once", () => {
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
  const theirs = [...keySources(ours, wanRules).values()].flatMap(({ keys }) => keys);
  expect(theirs.sort()).toEqual(["token_embedding.weight", ...block(0), ...block(1), "norm.weight"].sort());
});

describe("encoderNames", () => {
  const doubled = "encoder.embed_tokens.weight";

  test("are transformers' own, without the decoder", () => {
    const name = encoderNames(new Set(ours));
    expect(ours.map(name)).toEqual(ours);
    expect([name("decoder.block.0.layer.0.SelfAttention.q.weight"), name("lm_head.weight")]).toEqual([null, null]);
  });

  test("know the embedding by either name, and drop a second one", () => {
    expect(encoderNames(new Set([...ours, doubled]))(doubled)).toBeNull();
    expect(encoderNames(new Set([doubled]))(doubled)).toBe("shared.weight");
  });
});
