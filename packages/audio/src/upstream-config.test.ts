import { describe, expect, test } from "vitest";
import { presets } from "./config.ts";
import { audioConfigFromUpstream } from "./upstream-config.ts";

describe("audioConfigFromUpstream", () => {
  test("reads base where a file says nothing", () => {
    expect(audioConfigFromUpstream({})).toEqual(presets.base);
  });

  test("reads large", () => {
    // config.json of facebook/wav2vec2-large-960h-lv60
    const file = {
      conv_bias: true,
      do_stable_layer_norm: true,
      feat_extract_norm: "layer",
      hidden_size: 1024,
      intermediate_size: 4096,
      num_attention_heads: 16,
      num_hidden_layers: 24,
    };
    expect(audioConfigFromUpstream(file)).toEqual(presets.large);
  });

  test("refuses another activation", () => {
    expect(() => audioConfigFromUpstream({ hidden_act: "relu" })).toThrow('hidden_act must be "gelu", got "relu"');
  });
});
