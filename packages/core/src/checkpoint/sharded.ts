import type { ByteSource } from "./byte-source.ts";
import { checkpointError, quote } from "./checkpoint-error.ts";
import { readExactly, readSafetensors, type Safetensors, type StoredTensor, toSource } from "./safetensors.ts";
import { MAX_HEADER_BYTES } from "./safetensors-header.ts";
import { describeJson, jsonObject, parseStrictJson } from "./strict-json.ts";

/**
 * Opens a checkpoint of several safetensors files through its `*.index.json`, whose `weight_map` gives each tensor's file.
 *
 * Every file's header is read and checked; tensors are those of the map. A file is named, never reached by a path: names with
 * separators are refused before anything is opened.
 *
 * @param index the index file
 * @param openShard opens a file of the index's folder by its bare name
 * @returns the tensors of all files, with the metadata of the first in the order of names
 * @throws CheckpointError when the index or a file breaks a rule, or a tensor is not where the map says
 */
export async function readShardedSafetensors(
  index: Uint8Array | Blob | ByteSource,
  openShard: (fileName: string) => Promise<Uint8Array | Blob | ByteSource>,
): Promise<Safetensors> {
  const source = toSource(index);
  const weightMap = await readWeightMap(source);
  const shards = new Map<string, Safetensors>();
  const close = async () => {
    await Promise.all([source.close(), ...[...shards.values()].map((shard) => shard.close())]);
  };
  try {
    for (const file of [...new Set(weightMap.values())].sort()) {
      const shard = toSource(await openShard(file));
      try {
        shards.set(file, await readSafetensors(shard));
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

async function readWeightMap(source: ByteSource): Promise<ReadonlyMap<string, string>> {
  const fail = (rule: string, got: string): never => {
    const remedy = "give the *.safetensors.index.json of a sharded checkpoint, or download it again";
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

/** A name that stays in its folder on every system: no separator, drive, stream, control character or dot name. */
function isBareFileName(name: string): boolean {
  return /^[^/\\:\p{Cc}]+\.safetensors$/u.test(name) && !name.startsWith(".") && name.length <= 255;
}
