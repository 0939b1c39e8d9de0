import { readFileSync } from "node:fs";
import { CheckpointError, memory, Rng, tensor } from "@omni/core";
import { keySources, writeSafetensors } from "@omni/core/checkpoint";
import type { KeyRule } from "@omni/core/checkpoint";
import { publishedState } from "@omni/core/testing";
import { describe, expect, test } from "vitest";
import { fromUpstream } from "./key-map.ts";
import { sd3Presets } from "./sd3/config.ts";
import { sd3DiffusersRules, sd3Rules } from "./sd3/key-map.ts";
import { Sd3Transformer } from "./sd3/model.ts";
import { tinyWan } from "./wan/tiny.fixture.ts";
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
  const published = publishedState(readFileSync(new URL(`../fixtures/${name}.tsv`, import.meta.url), "utf8"));

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
    expect((await memory(model)).live).toBeLessThanOrEqual(before); // the collector may have freed some
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

describe("WanDit.load", () => {
  const rng = new Rng(3);
  /** A file under upstream's names with the sizes of the miniature, of random values. */
  async function upstreamFile(rules: readonly KeyRule[], prefix = ""): Promise<Uint8Array> {
    const state: Record<string, { shape: readonly number[]; data: Float32Array }> = {};
    const own = new WanDit(tinyWan).stateDict();
    for (const [name, { keys, join }] of keySources(Object.keys(own), rules))
      for (const key of keys) {
        const shape = join.theirs(own[name]?.shape ?? [], keys.length);
        state[prefix + key] = {
          shape,
          data: Float32Array.from(
            await rng
              .fork(key)
              .normal([...shape])
              .data(),
          ),
        };
      }
    return writeSafetensors(state);
  }
  // heads of 12 are no public model's: shapes do not tell them
  const config = tinyWan;

  test("joins q, k and v of either naming", async () => {
    const file = await upstreamFile(wanRules);
    const model = await WanDit.load(file, { config });
    const weight = model.blocks[0]?.video.qkv.weight;
    const key = await rng.fork("blocks.0.self_attn.k.weight").normal([tinyWan.width, tinyWan.width]).data();
    expect([...((await weight?.slice(0, tinyWan.width, 2 * tinyWan.width).data()) ?? [])]).toEqual([...key]);
    const other = await upstreamFile(wanDiffusersRules);
    await expect(WanDit.load(other, { config })).resolves.toBeInstanceOf(WanDit);
  });

  test("puts the channels of the last projection first, as lazy tensors do", async () => {
    const file = await upstreamFile(wanRules);
    const loaded = (await WanDit.load(file, { config })).finalLayer.projection.weight;
    const upstream = rng.fork("head.head.weight").normal([8, tinyWan.width]);
    // (y, x, channel) → (channel, y, x), by movement of axes
    const moved = upstream.reshape([4, 2, tinyWan.width]).permute([1, 0, 2]).reshape([8, tinyWan.width]);
    expect([...(await loaded.data())]).toEqual([...(await moved.data())]);
  });

  test("finds the transformer in a pipeline's file", async () => {
    const file = await upstreamFile(wanRules, "model.diffusion_model.");
    await expect(WanDit.load(file, { config })).resolves.toBeInstanceOf(WanDit);
  });

  test("refuses a file of another size before it reads any, in upstream's names", async () => {
    const file = await upstreamFile(wanRules);
    await expect(WanDit.load(file, { config: { ...tinyWan, ffnDim: 12 } })).rejects.toThrow(
      '6 misshaped ("blocks.0.ffn.0.weight" must be [12, 24], is [20, 24], "blocks.0.ffn.0.bias" must be [12], is [20]',
    );
  });

  test("the published shapes tell the config", () => {
    for (const [name, { build }] of Object.entries(layouts)) {
      const shapes = publishedState(readFileSync(new URL(`../fixtures/${name}.tsv`, import.meta.url), "utf8"));
      const model = build();
      const wan = WanDit.format.layouts.find(({ matches }) => matches(shapes))?.config(shapes);
      const sd3 = Sd3Transformer.format.layouts.find(({ matches }) => matches(shapes))?.config(shapes);
      expect(wan ?? sd3).toEqual(model.config);
    }
  });
});
