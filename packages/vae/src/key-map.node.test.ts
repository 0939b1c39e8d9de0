import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Rng } from "@omni/core";
import { loadVae, loadWanVae, saveVae } from "./checkpoint.ts";
import { writeSafetensors } from "@omni/core/checkpoint";
import { vaePresets } from "./config.ts";
import { fromDiffusersKey, fromWanKey, fromWanState } from "./key-map.ts";
import { CausalVae } from "./model.ts";
import { awakeVae, tinyNano } from "./tiny.fixture.ts";

/** Names and shapes of the published Wan2.1_VAE.pth: a line a tensor. */
const wan = new Map(
  readFileSync(new URL("../fixtures/wan2.1-vae.tsv", import.meta.url), "utf8")
    .trim()
    .split("\n")
    .map((line): [string, number[]] => {
      const [name = "", sizes = ""] = line.split("\t");
      return [name, sizes.split("x").map(Number)];
    }),
);

describe("fromWanKey", () => {
  const ours = new CausalVae(vaePresets.wan21).stateDict();

  test("uses every name of the checkpoint exactly once", () => {
    expect(wan.size).toBe(194); // tensors in Wan2.1_VAE.pth
    const names = [...wan.keys()].map(fromWanKey);
    expect(new Set(names).size).toBe(194);
    expect(names.sort()).toEqual(Object.keys(ours).sort());
  });

  test("every tensor has the size of its counterpart", () => {
    const state = Object.fromEntries([...wan].map(([name, shape]) => [name, { shape }]));
    expect(Object.keys(fromWanState(state, ours))).toHaveLength(194);
  });

  test("refuses a checkpoint of another layout", () => {
    const state = Object.fromEntries([...wan].map(([name, shape]) => [name, { shape }]));
    const { "conv1.weight": quant, ...rest } = state;
    expect(() => fromWanState(rest, ours)).toThrow("1 tensors are missing, such as quant.weight");
    expect(() => fromWanState({ ...rest, "conv9.weight": { shape: [1] } }, ours)).toThrow(
      '"conv9.weight" must be a tensor',
    );
    expect(() => fromWanState({ ...rest, "conv1.weight": { shape: [1] } }, ours)).toThrow(
      "must hold [32, 32, 1, 1, 1]",
    );
    expect(quant).toBeDefined();
  });
});

describe("fromDiffusersKey", () => {
  // as diffusers' AutoencoderKLWan names them: blocks of blocks in the decoder, one row in the encoder
  test.each([
    ["encoder.conv_in.weight", "encoder.convIn.weight"],
    ["encoder.down_blocks.5.time_conv.bias", "encoder.layers.5.temporal.bias"],
    ["encoder.mid_block.attentions.0.norm.gamma", "encoder.middle.1.norm.weight"],
    ["decoder.up_blocks.0.resnets.2.norm2.gamma", "decoder.layers.2.norm2.weight"],
    ["decoder.up_blocks.1.upsamplers.0.resample.1.weight", "decoder.layers.7.spatial.weight"],
    ["decoder.up_blocks.3.resnets.0.conv_shortcut.weight", "decoder.layers.12.shortcut.weight"],
    ["decoder.norm_out.gamma", "decoder.norm.weight"],
    ["post_quant_conv.bias", "postQuant.bias"],
  ])("%s is %s", (theirs, ours) => {
    expect(fromDiffusersKey(theirs, vaePresets.wan21)).toBe(ours);
  });
});

describe("checkpoints", () => {
  test("a saved model loads with its config and statistics, and encodes alike", async () => {
    const vae = awakeVae(tinyNano);
    vae.setLatentStatistics({ mean: [1, 2, 3], std: [4, 5, 6] });
    const loaded = await loadVae(await saveVae(vae));
    expect(loaded.config).toEqual(vae.config);
    const video = new Rng(1).uniform([1, 3, 5, 4, 4], -1, 1);
    expect([...(await loaded.encode(video).data())]).toEqual([...(await vae.encode(video).data())]);
  });

  test("weights under Wan's names load into its layout", async () => {
    const dims = [2, 4, 8, 8] as const;
    const config = { ...vaePresets.wan21, encoderDims: dims, decoderDims: dims };
    const small = new CausalVae(config).stateDict();
    const bytes = writeSafetensors(
      Object.fromEntries(
        [...wan.keys()].map((name) => {
          const { shape = [], size = 0 } = small[fromWanKey(name)] ?? {};
          return [name, { shape, data: new Float32Array(size).fill(name === "conv2.bias" ? 7 : 0) }];
        }),
      ),
    );
    const vae = await loadWanVae(bytes, config);
    expect([...((await vae.postQuant?.bias?.data()) ?? [])]).toEqual(new Array(16).fill(7));
  });

  test("refuses a file that holds something else", async () => {
    const bytes = writeSafetensors({ x: { shape: [1], data: new Float32Array(1) } });
    await expect(loadVae(bytes)).rejects.toThrow("must hold an omni-vae");
  });
});
