import { mkdir, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { convertedTensors, openCheckpoint, planShards, streamStored, writeFileAtomic } from "@omni/core/checkpoint";
import type { Checkpoint, ConvertedDType, Shard, StoredSource } from "@omni/core/checkpoint";
import { UsageError } from "./failure.ts";
import { networkOfLayout, networks, recogniseFile } from "./networks.ts";
import type { KnownFile } from "./networks.ts";

/** What `omni convert` is asked for. */
export interface ConvertRequest {
  readonly source: string;
  /** A `.safetensors` path, or a folder. */
  readonly out: string;
  /** The layout that the source must have; null: whichever it has. */
  readonly from: string | null;
  /** `omni`, `keep`, or a layout; null: ours for a public file, else as it is. */
  readonly to: string | null;
  readonly dtype: ConvertedDType | null;
  readonly maxShardBytes: number;
  readonly signal: AbortSignal;
  readonly onProgress: (fraction: number, detail: string) => void;
}

/** What was written. */
export interface Converted {
  readonly files: readonly string[];
  readonly tensors: number;
  readonly bytes: number;
  readonly from: string;
  readonly to: string;
  /** Tensors of the source that the network has no use for. */
  readonly unused: readonly string[];
}

/** Names for `--to`. */
export const layoutNames: readonly string[] = [
  "omni",
  "keep",
  ...networks.flatMap(({ layouts }) => layouts.map(({ name }) => name)),
];

/**
 * Writes a checkpoint under other names, in another type or in other files. Memory is that of a piece of a tensor, whatever the size.
 *
 * @throws CheckpointError or UsageError when it cannot be done; what was written is removed
 */
export async function convert(request: ConvertRequest): Promise<Converted> {
  const { source, dtype, to, signal } = request;
  const rewritten = dtype !== null || to !== "keep";
  const file = await openCheckpoint(source, { quantised: rewritten ? "numbers" : "stored", signal });
  try {
    const plan = planned(file, request);
    const tensors = convertedTensors(plan.checkpoint, dtype);
    const files = await write(tensors, plan.metadata, request);
    const bytes = files.reduce((sum, shard) => sum + shard.bytes, 0);
    return {
      files: files.map((shard) => shard.file),
      tensors: tensors.size,
      bytes,
      from: plan.from,
      to: plan.to,
      unused: plan.unused,
    };
  } finally {
    await file.close();
  }
}

interface Plan {
  readonly checkpoint: Checkpoint;
  readonly metadata: Readonly<Record<string, string>>;
  readonly from: string;
  readonly to: string;
  readonly unused: readonly string[];
}

function planned(file: Checkpoint, { source, from, to }: ConvertRequest): Plan {
  if (to === "keep" && from === null)
    return { checkpoint: file, metadata: file.metadata, from: "any names", to: "the same", unused: [] };
  const known = recogniseFile(file);
  if (!known)
    throw new UsageError(
      `${source}: its names are of no known layout (${layoutNames.slice(2).join(", ")}); give --to keep to change its types or files alone`,
    );
  const found = known.layout?.name ?? "omni";
  if (from !== null && from !== found)
    throw new UsageError(`${source}: must be ${from}, got ${found}; leave out --from`);
  if (to === "keep") return { checkpoint: file, metadata: file.metadata, from: found, to: found, unused: [] };
  const { unused, checkpoint } = known;
  if (to === null || to === "omni")
    return { checkpoint, metadata: ourMetadata(file, known), from: found, to: "omni", unused };
  const target = networkOfLayout(to);
  if (target?.model !== known.model) {
    const fitting = networks.find(({ model }) => model === known.model)?.layouts.map(({ name }) => name) ?? [];
    const choices = fitting.length > 0 ? fitting.join(" or ") : "no layout but omni";
    throw new UsageError(`${source}: holds an ${known.model} model, which can become ${choices}, not ${to}`);
  }
  return {
    checkpoint: target.exported(checkpoint, known.config, to),
    metadata: { format: "pt" },
    from: found,
    to,
    unused,
  };
}

/** Our own metadata stays; a public file's is of no meaning here. */
function ourMetadata({ metadata }: Checkpoint, { model, config, layout }: KnownFile): Record<string, string> {
  return { ...(layout === null ? metadata : {}), model, config: JSON.stringify(config) };
}

async function write(
  tensors: ReadonlyMap<string, StoredSource>,
  metadata: Readonly<Record<string, string>>,
  { out, maxShardBytes, signal, onProgress }: ConvertRequest,
): Promise<readonly Shard[]> {
  const isFile = out.endsWith(".safetensors");
  const folder = isFile ? dirname(out) : out;
  if (!isFile) await makeFolder(folder);
  const base = isFile ? basename(out, ".safetensors") : "model";
  const shards = planShards(tensors, base, maxShardBytes);
  const total = shards.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  const counted = async function* (chunks: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      signal.throwIfAborted();
      done += chunk.length;
      onProgress(Math.min(1, done / Math.max(1, total)), file);
      yield chunk;
    }
  };
  const written: string[] = [];
  try {
    for (const { file, names } of shards) {
      const path = join(folder, file);
      const held = names.map((name) => [name, tensors.get(name)] as const);
      const entries = held.flatMap(([name, tensor]) => (tensor ? [[name, tensor] as const] : []));
      await writeFileAtomic(path, counted(streamStored(entries, { metadata }), file));
      written.push(path);
    }
    if (shards.length > 1) {
      const path = join(folder, `${base}.safetensors.index.json`);
      await writeFileAtomic(path, [indexOf(shards, total)]);
    }
  } catch (error) {
    // one file that is in its place is whole; several without their index are of no use
    if (shards.length > 1) for (const path of written) await unlink(path).catch(() => undefined);
    throw error;
  }
  return shards;
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`${folder}: the folder cannot be made (${reason}); choose another output`, { cause });
  }
}

function indexOf(shards: readonly Shard[], total: number): Uint8Array {
  const map = shards.flatMap(({ file, names }) => names.map((name) => [name, file] as const));
  const sorted = Object.fromEntries(map.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const index = { metadata: { total_size: total }, weight_map: sorted };
  return new TextEncoder().encode(`${JSON.stringify(index, null, 2)}\n`);
}
