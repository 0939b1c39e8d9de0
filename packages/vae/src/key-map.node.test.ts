import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Rng } from "@omni/core";
import { keySources, writeSafetensors } from "@omni/core/checkpoint";
import type { KeyRule } from "@omni/core/checkpoint";
import { publishedState } from "@omni/core/testing";
import { saveVae } from "./checkpoint.ts";
import { vaePresets } from "./config.ts";
import type { VaeConfig } from "./config.ts";
import { diffusersRules, wanRules } from "./key-map.ts";
import { CausalVae } from "./model.ts";
import { awakeVae, tinyNano } from "./tiny.fixture.ts";

// Wan2.1_VAE.pth: 194 tensors
const wan = publishedState(readFileSync(new URL("../fixtures/wan2.1-vae.tsv", import.meta.url), "utf8"));

const sourcesOf = (rules: readonly KeyRule[], config: VaeConfig = vaePresets.wan21) =>
  keySources(Object.keys(new CausalVae(config).stateDict()), rules);

describe("wanRules", () => {
  test("use every published tensor exactly once, in its shape", () => {
    const ours = new CausalVae(vaePresets.wan21).stateDict();
    const wanted = [...sourcesOf(wanRules)].flatMap(([name, { keys, join }]) =>
      keys.map((key) => [key, join.theirs(ours[name]?.shape ?? [], keys.length)] as const),
    );
    expect(wanted).toHaveLength(194);
    expect(Object.fromEntries(wanted)).toEqual(
      Object.fromEntries(Object.entries(wan).map(([name, { shape }]) => [name, shape])),
    );
  });

  test("the published shapes tell the config", () => {
    const layout = CausalVae.format.layouts.find(({ matches }) => matches(wan));
    expect(layout?.name).toBe("wan2.1-vae");
    expect(layout?.config(wan)).toEqual(vaePresets.wan21);
  });
});

describe("diffusersRules", () => {
  // as diffusers' AutoencoderKLWan names them: blocks of blocks in the decoder, one row in the encoder
  test.each([
    ["encoder.conv_in.weight", "encoder.convIn.weight"],
    ["encoder.down_blocks.5.time_conv.bias", "encoder.layers.5.temporal.bias"],
    ["encoder.mid_block.attentions.0.norm.gamma", "encoder.middle.1.norm.weight"],
    ["decoder.mid_block.resnets.1.conv2.weight", "decoder.middle.2.conv2.weight"],
    ["decoder.up_blocks.0.resnets.2.norm2.gamma", "decoder.layers.2.norm2.weight"],
    ["decoder.up_blocks.1.upsamplers.0.resample.1.weight", "decoder.layers.7.spatial.weight"],
    ["decoder.up_blocks.1.resnets.0.conv_shortcut.weight", "decoder.layers.4.shortcut.weight"],
    ["decoder.norm_out.gamma", "decoder.norm.weight"],
    ["post_quant_conv.bias", "postQuant.bias"],
  ])("%s is %s", (theirs, ours) => {
    expect(sourcesOf(diffusersRules(vaePresets.wan21)).get(ours)?.keys).toEqual([theirs]);
  });
});

describe("checkpoints", () => {
  test("a saved model loads with its config and statistics, and encodes alike", async () => {
    const vae = awakeVae(tinyNano);
    vae.setLatentStatistics({ mean: [1, 2, 3], std: [4, 5, 6] });
    const loaded = await CausalVae.load(await saveVae(vae));
    expect(loaded.config).toEqual(vae.config);
    const video = new Rng(1).uniform([1, 3, 5, 4, 4], -1, 1);
    expect([...(await loaded.encode(video).data())]).toEqual([...(await vae.encode(video).data())]);
  });

  const dims = [2, 4, 8, 8] as const;
  const config: VaeConfig = { ...vaePresets.wan21, encoderDims: dims, decoderDims: dims };

  test.each([
    ["Wan's", wanRules, "conv2.bias"],
    ["diffusers'", diffusersRules(config), "post_quant_conv.bias"],
  ])("weights under %s names load, and their shapes tell the widths", async (_, rules, marked) => {
    const small = new CausalVae(config).stateDict();
    const file = Object.fromEntries(
      [...sourcesOf(rules, config)].flatMap(([name, { keys, join }]) => {
        const { shape = [], size = 0 } = small[name] ?? {};
        const data = new Float32Array(size).fill(keys[0] === marked ? 7 : 0);
        return keys.map((key) => [key, { shape: join.theirs(shape, 1), data }] as const);
      }),
    );
    const vae = await CausalVae.load(writeSafetensors(file));
    expect(vae.config).toEqual(config);
    expect([...((await vae.postQuant?.bias?.data()) ?? [])]).toEqual(new Array(16).fill(7));
    const { [marked]: gone, ...rest } = file;
    expect(gone).toBeDefined();
    const other = { ...rest, extra: { shape: [1], data: new Float32Array(1) } };
    await expect(CausalVae.load(writeSafetensors(other))).rejects.toThrow(
      `1 missing ("${marked}") and 1 unexpected ("extra")`,
    );
    await expect(CausalVae.load(writeSafetensors(other), { partial: true })).resolves.toBeInstanceOf(CausalVae);
  });

  test("refuses a file that holds something else", async () => {
    const bytes = writeSafetensors({ x: { shape: [1], data: new Float32Array(1) } });
    await expect(CausalVae.load(bytes)).rejects.toThrow(
      `must hold an omni-vae model, or Wan2.1's autoencoder, or Wan2.1's autoencoder in diffusers' names, got 1 tensors of another network ("x", …)`,
    );
  });
});
