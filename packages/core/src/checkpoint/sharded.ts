import { type ByteSource, readExactly, toSource } from "./byte-source.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { checkpointError, quote } from "./checkpoint-error.ts";
import { readTorch } from "./read-torch.ts";
import { recognise } from "./recognise.ts";
import { readSafetensors } from "./safetensors.ts";
import { MAX_HEADER_BYTES } from "./safetensors-header.ts";
import type { StoredTensor } from "./stored-tensor.ts";
import { describeJson, jsonObject, parseStrictJson } from "./strict-json.ts";

/**
 * Opens a checkpoint of several files, safetensors or of torch.save, through its `*.index.json`, whose `weight_map` gives each
 * tensor's file.
 *
 * Every file's header is read and checked; tensors are those of the map. A file is named, never reached by a path: names with
 * separators are refused before anything is opened.
 *
 * @param index the index file
 * @param openShard opens a file of the index's folder by its bare name
 * @returns the tensors of all files, with the metadata of the first in the order of names
 * @throws CheckpointError when the index or a file breaks a rule, or a tensor is not where the map says
 */
export async function readSharded(
  index: Uint8Array | Blob | ByteSource,
  openShard: (fileName: string) => Promise<Uint8Array | Blob | ByteSource>,
): Promise<Checkpoint> {
  const source = toSource(index);
  const weightMap = await readWeightMap(source);
  const shards = new Map<string, Checkpoint>();
  const close = async () => {
    await Promise.all([source.close(), ...[...shards.values()].map((shard) => shard.close())]);
  };
  try {
    for (const file of [...new Set(weightMap.values())].sort()) {
      const shard = toSource(await openShard(file));
      try {
        shards.set(file, await readShard(shard));
      } catch (error) {
        await shard.close();
        throw error;
      }
    }
    const tensors: Record<string, StoredTensor> = Object.create(null);
    for (const [name, file] of weightMap) {
      const tensor = shards.get(file)?.tensors[name];
      if (tensor === undefined)
        throw checkpointError({
          source: source.name,
          rule: `tensor ${quote(name)} must be in ${quote(file)}`,
          got: "a file without it",
          remedy: "download the index and its files again, from one version",
        });
      tensors[name] = tensor;
    }
    const [first] = shards.values();
    return { tensors, metadata: first?.metadata ?? Object.create(null), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function readShard(source: ByteSource): Promise<Checkpoint> {
  const format = await recognise(source);
  return format === "zip" || format === "pickle" ? readTorch(source) : readSafetensors(source);
}

async function readWeightMap(source: ByteSource): Promise<ReadonlyMap<string, string>> {
  const fail = (rule: string, got: string): never => {
    const remedy = "give the *.index.json of a sharded checkpoint, or download it again";
    throw checkpointError({ source: source.name, rule, got, remedy });
  };
  if (source.size > MAX_HEADER_BYTES) fail(`an index must be at most ${MAX_HEADER_BYTES} bytes`, `${source.size}`);
  const bytes = await readExactly(source, 0, source.size);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail("an index must be UTF-8", "other bytes");
  }
  const root = jsonObject(parseStrictJson(text, fail));
  const json = root?.get("weight_map");
  const map = jsonObject(json);
  if (map === undefined) return fail("an index must have a weight_map object", describeJson(json));
  const files = new Map<string, string>();
  for (const [name, file] of map) {
    if (typeof file !== "string" || !isBareFileName(file))
      return fail(`weight_map ${quote(name)} must be a file name without a path`, describeJson(file));
    files.set(name, file);
  }
  return files;
}

/** A checkpoint's name that stays in its folder on every system: no separator, drive, stream, control character or dot name. */
function isBareFileName(name: string): boolean {
  return /^[^/\\:\p{Cc}]+\.(safetensors|bin|pth|pt)$/u.test(name) && !name.startsWith(".") && name.length <= 255;
}
