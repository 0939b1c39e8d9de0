import { checkpointError, quote } from "./checkpoint-error.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { StoredTensor } from "./stored-tensor.ts";

/**
 * An open checkpoint under other names: a public file read by a module of ours, or a part of a file by one of a module's parts. Closing
 * either closes both.
 *
 * ```ts
 * const upstream = renamed(await openCheckpoint(file), fromUpstream);
 * await loadState(encoder, upstream);
 * ```
 *
 * @param toOurs the new name; null leaves the tensor out, undefined leaves its name alone
 * @throws CheckpointError when two tensors would get one name
 */
export function renamed(checkpoint: Checkpoint, toOurs: (name: string) => string | null | undefined): Checkpoint {
  const tensors: Record<string, StoredTensor> = Object.create(null);
  const before = new Map<string, string>();
  for (const [name, tensor] of Object.entries(checkpoint.tensors)) {
    const ours = toOurs(name);
    if (ours === null) continue;
    const key = ours ?? name;
    const other = before.get(key);
    if (other !== undefined)
      throw checkpointError({
        source: "renamed",
        rule: `one tensor must become ${quote(key)}`,
        got: `${quote(other)} and ${quote(name)}`,
        remedy: "leave one out: give null for it",
      });
    before.set(key, name);
    tensors[key] = tensor;
  }
  return { tensors, metadata: checkpoint.metadata, close: () => checkpoint.close() };
}
