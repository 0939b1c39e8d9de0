import { describe, expect, test } from "vitest";
import { presets } from "./config.ts";
import { textConfigFromUpstream } from "./upstream-config.ts";

describe("textConfigFromUpstream", () => {
  // config.json of google/umt5-xxl
  const umt5 = {
    model_type: "umt5",
    vocab_size: 256_384,
    d_model: 4096,
    num_layers: 24,
    num_heads: 64,
    d_kv: 64,
    d_ff: 10_240,
    feed_forward_proj: "gated-gelu",
  };

  test("reads umt5-xxl", () => {
    expect(textConfigFromUpstream(umt5)).toEqual(presets["umt5-xxl"]);
  });

  test("gives a T5 one table for all layers", () => {
    expect(textConfigFromUpstream({ ...umt5, model_type: "t5" }).relativePositions).toBe("shared");
  });

  test("refuses another activation, and names a field that is missing", () => {
    expect(() => textConfigFromUpstream({ ...umt5, feed_forward_proj: "gated-silu" })).toThrow("feed_forward_proj");
    expect(() => textConfigFromUpstream({ ...umt5, d_kv: undefined })).toThrow("TextConfig.headDim");
  });
});
