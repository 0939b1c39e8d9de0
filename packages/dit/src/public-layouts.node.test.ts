import { CheckpointError, memory, Rng, tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import { writeSafetensors } from "@omni/core/checkpoint";
import { describe, expect, test } from "vitest";
import { loadWanDit } from "./checkpoint.ts";
import { fromUpstream, keySources } from "./key-map.ts";
import type { KeyRule } from "./key-map.ts";
import { sd3Presets } from "./sd3/config.ts";
import { sd3DiffusersRules, sd3Rules } from "./sd3/key-map.ts";
import { Sd3Transformer } from "./sd3/model.ts";
import { publishedState } from "./shape-list.fixture.ts";
import { tinyWan } from "./wan/tiny-wan.ts";
import { wanPresets } from "./wan/config.ts";
import { wanDiffusersRules, wanRules } from "./wan/key-map.ts";
import { WanDit } from "./wan/model.ts";

// parameters are lazy: a model that is not realised is a model without memory
const layouts = {
  "wan2.1-t2v-1.3b": {
    build: () => new WanDit(wanPresets["wan2.1-t2v-1.3b"]),
    rules: wanRules,
    tensors: 825,
    parameters: 1_418_996_800, // sum over the published file
  },
  "wan2.1-t2v-14b": {
    build: () => new WanDit(wanPresets["wan2.1-t2v-14b"]),
    rules: wanRules,
    tensors: 1095,
    parameters: 14_288_491_584,
  },
  "sd3-medium": {
    build: () => new Sd3Transformer(sd3Presets["sd3-medium"]),
    rules: sd3Rules,
    tensors: 491,
    parameters: 2_084_951_104,
  },
} as const;

describe.each(Object.entries(layouts))("%s", (name, { build, rules, tensors, parameters }) => {
  const published = publishedState(`${name}.tsv`);

  test("uses every published tensor exactly once, in its shape", () => {
    expect(Object.keys(published)).toHaveLength(tensors);
    const own = build().stateDict();
    // throws when a key is missing, left over, used twice, or makes another shape
    const ours = fromUpstream(published, own, rules);
    expect(Object.keys(ours).sort()).toEqual(Object.keys(own).sort());
  });

  test("has the published number of parameters, and takes no memory", async () => {
    const before = (await memory()).live;
    const model = build();
    expect(model.numParameters()).toBe(parameters);
    expect((await memory(model)).live).toBe(before);
  });

  test("refuses another layout's file", () => {
    const own = build().stateDict();
    const [first = ""] = Object.keys(published);
    const { [first]: gone, ...rest } = published;
    expect(gone).toBeDefined();
    expect(() => fromUpstream(rest, own, rules)).toThrow(`1 are missing, such as "${first}"`);
    expect(() => fromUpstream({ ...published, more: tensor([1]) }, own, rules)).toThrow(
      '1 have no place, such as "more"',
    );
    expect(() => fromUpstream({ ...published, [first]: tensor([1]) }, own, rules)).toThrow(CheckpointError);
  });
});

describe("diffusers' names", () => {
  const upstreamNames = (model: WanDit | Sd3Transformer, rules: readonly KeyRule[]): string[] =>
    [...keySources(Object.keys(model.stateDict()), rules).values()].flatMap(({ keys }) => keys);

  // counted in the published config's state dict: as many as under the original names, but q, k and v of SD3 apart
  test.each([
    ["WanTransformer3DModel", new WanDit(wanPresets["wan2.1-t2v-1.3b"]), wanDiffusersRules, 825],
    // 2 streams · 24 blocks · (weight, bias) · 2 more projections each
    [
      "SD3Transformer2DModel",
      new Sd3Transformer(sd3Presets["sd3-medium"]),
      sd3DiffusersRules({ depth: 24 }),
      491 + 192,
    ],
  ] as const)("%s names every tensor once", (_, model, rules, count) => {
    const names = upstreamNames(model, rules);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toHaveLength(count);
  });
});

describe("loadWanDit", () => {
  const rng = new Rng(3);
  /** A file under upstream's names with the sizes of the miniature, of random values. */
  async function upstreamFile(rules: readonly KeyRule[], prefix = ""): Promise<Uint8Array> {
    const state: Record<string, { shape: readonly number[]; data: Float32Array }> = {};
    const model = new WanDit(tinyWan);
    for (const [name, { keys }] of keySources(Object.keys(model.stateDict()), rules)) {
      const own = model.stateDict()[name] as Tensor; // a name of the model's
      for (const key of keys) {
        const shape = shapeOf(key, own.shape, keys.length);
        state[prefix + key] = { shape, data: Float32Array.from(await rng.fork(key).normal(shape).data()) };
      }
    }
    return writeSafetensors(state);
  }

  /** Upstream's shape of a part of ours. */
  function shapeOf(key: string, [first = 1, ...rest]: readonly number[], parts: number): number[] {
    if (/patch_embedding\.weight/.test(key)) return [first, tinyWan.latentChannels, 1, 2, 2];
    if (/modulation$|scale_shift_table$/.test(key)) return [1, first, ...rest];
    return /norm_[qk]/.test(key) ? rest : [first / parts, ...rest];
  }

  test("joins q, k and v of either naming", async () => {
    const file = await upstreamFile(wanRules);
    const model = await loadWanDit(file, tinyWan);
    const weight = model.blocks[0]?.video.qkv.weight;
    const key = await rng.fork("blocks.0.self_attn.k.weight").normal([tinyWan.width, tinyWan.width]).data();
    expect([...((await weight?.slice(0, tinyWan.width, 2 * tinyWan.width).data()) ?? [])]).toEqual([...key]);
    await expect(upstreamFile(wanDiffusersRules).then((other) => loadWanDit(other, tinyWan))).resolves.toBeInstanceOf(
      WanDit,
    );
  });

  test("finds the transformer in a pipeline's file", async () => {
    const file = await upstreamFile(wanRules, "model.diffusion_model.");
    await expect(loadWanDit(file, tinyWan)).resolves.toBeInstanceOf(WanDit);
  });

  test("refuses a file of another size before it reads any", async () => {
    const file = await upstreamFile(wanRules);
    await expect(loadWanDit(file, { ...tinyWan, ffnDim: 12 })).rejects.toThrow("check the config");
  });
});
