import { CheckpointError, tensor, zeros } from "@omni/core";
import { openCheckpoint, renamed } from "@omni/core/checkpoint";
import type { ByteInput, ByteSource } from "@omni/core/checkpoint";
import type { Module } from "@omni/core/nn";
import { fromUpstream, keySources } from "./key-map.ts";
import type { KeyRule } from "./key-map.ts";
import { sd3DiffusersRules, sd3Rules } from "./sd3/key-map.ts";
import { Sd3Transformer } from "./sd3/model.ts";
import type { Sd3Config } from "./sd3/config.ts";
import { wanPresets } from "./wan/config.ts";
import type { WanConfig } from "./wan/config.ts";
import { wanDiffusersRules, wanRules } from "./wan/key-map.ts";
import { WanDit } from "./wan/model.ts";

/** Bytes, a Blob, a URL, or in Node a path; a sharded checkpoint's index. */
export type DitSource = Exclude<ByteInput, ByteSource>;

/** What files of whole pipelines put in front of the transformer's names. */
const PIPELINE = "model.diffusion_model.";

/**
 * Loads Wan2.1's published text-to-video transformer.
 *
 * @param source under Wan's own names (`blocks.0.self_attn.q.weight`, …) or diffusers' (`blocks.0.attn1.to_q.weight`, …)
 * @throws CheckpointError when names or shapes do not fit the config
 */
export async function loadWanDit(
  source: DitSource,
  config: WanConfig = wanPresets["wan2.1-t2v-1.3b"],
): Promise<WanDit> {
  return load(new WanDit(config), source, (names) => ("proj_out.weight" in names ? wanDiffusersRules : wanRules));
}

/**
 * Loads Stable Diffusion 3's transformer, alone or out of a file of the whole pipeline.
 *
 * @param source under its own names (`joint_blocks.0.x_block.attn.qkv.weight`, …) or diffusers' (`transformer_blocks.0.attn.to_q.weight`, …)
 * @throws CheckpointError when names or shapes do not fit the config
 */
export async function loadSd3(source: DitSource, config: Sd3Config): Promise<Sd3Transformer> {
  return load(new Sd3Transformer(config), source, (names) =>
    "proj_out.weight" in names ? sd3DiffusersRules(config) : sd3Rules,
  );
}

async function load<M extends Module>(
  module: M,
  source: DitSource,
  rulesFor: (names: Readonly<Record<string, unknown>>) => readonly KeyRule[],
): Promise<M> {
  const file = await openCheckpoint(source);
  try {
    const isPipeline = Object.keys(file.tensors).some((name) => name.startsWith(PIPELINE));
    const { tensors } = isPipeline
      ? renamed(file, (name) => (name.startsWith(PIPELINE) ? name.slice(PIPELINE.length) : null))
      : file;
    const rules = rulesFor(tensors);
    const own = module.stateDict();
    // tensors without values: names and shapes are checked before anything is read
    const shapes = Object.entries(tensors).map(([name, { shape }]) => [name, zeros(shape)]);
    fromUpstream(Object.fromEntries(shapes), own, rules);
    for (const [name, { keys, join }] of keySources(Object.keys(own), rules)) {
      const parts = await Promise.all(
        keys.map(async (key) => {
          const stored = tensors[key];
          if (!stored) throw new CheckpointError(`load: "${key}" must be in the file`);
          return tensor(Float32Array.from(await stored.data("f32")), { shape: stored.shape });
        }),
      );
      // one parameter at a time: the file never stands in memory whole
      module.loadStateDict({ [name]: await join(parts).realize() }, { strict: false });
    }
  } finally {
    await file.close();
  }
  return module;
}
