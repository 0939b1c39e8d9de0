import { describe, expect, test } from "vitest";
import { presets } from "./config.ts";
import { fromUpstream } from "./key-map.ts";
import { Wav2Vec2Encoder } from "./model.ts";

describe("fromUpstream", () => {
  const ours = Object.keys(new Wav2Vec2Encoder(presets.base).parameters());

  test("takes wav2vec2-base-960h's names to ours, each once", () => {
    const upstream = [
      ...ours.map((name) => `wav2vec2.${name}`),
      "wav2vec2.masked_spec_embed",
      "lm_head.weight",
      "lm_head.bias",
    ];
    expect(upstream.map(fromUpstream).filter((name) => name !== null)).toEqual(ours);
  });

  test("reads weight norm in both of torch's spellings", () => {
    expect(fromUpstream("wav2vec2.encoder.pos_conv_embed.conv.parametrizations.weight.original0")).toBe(
      "encoder.pos_conv_embed.conv.weight_g",
    );
    expect(fromUpstream("encoder.pos_conv_embed.conv.weight_v")).toBe("encoder.pos_conv_embed.conv.weight_v");
  });

  test("knows a stranger", () => {
    expect(fromUpstream("decoder.weight")).toBeUndefined();
  });
});
