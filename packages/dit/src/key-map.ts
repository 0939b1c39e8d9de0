import { CheckpointError, concat, indexSelect, tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import { keySources } from "@omni/core/checkpoint";
import type { Join, KeyRule, KeySource } from "@omni/core/checkpoint";

interface Shaped {
  readonly shape: readonly number[];
}

/**
 * An upstream state dict under our names and in our shapes. Values stay lazy: nothing is read or computed here.
 *
 * @param targets the model's own parameters
 * @throws CheckpointError when a key is missing, left over, used twice or of another shape
 */
export function fromUpstream(
  state: Readonly<Record<string, Tensor>>,
  targets: Readonly<Record<string, Shaped>>,
  rules: readonly KeyRule[],
): Record<string, Tensor> {
  const sources = keySources(Object.keys(targets), rules);
  checkKeys(Object.keys(state), sources);
  const ours: Record<string, Tensor> = {};
  for (const [name, { keys, join }] of sources) {
    const wanted = targets[name]?.shape ?? [];
    const parts = keys.flatMap((key) => state[key] ?? []);
    for (const [i, part] of parts.entries()) {
      const theirs = join.theirs(wanted, keys.length);
      if (part.shape.join() !== theirs.join())
        throw new CheckpointError(
          `key map: ${keys[i]} must have shape [${theirs.join(", ")}], got [${part.shape.join(", ")}]; check the config`,
        );
    }
    ours[name] = joined(parts, join, wanted);
  }
  return ours;
}

function joined(parts: readonly Tensor[], { rowOf }: Join, shape: readonly number[]): Tensor {
  const elements = concat(parts.map((part) => part.reshape([-1])));
  if (!rowOf) return elements.reshape([...shape]);
  const [rows = 1] = shape;
  const order = tensor(Int32Array.from({ length: rows }, (_, row) => rowOf(row, rows)));
  return indexSelect(elements.reshape([rows, -1]), 0, order).reshape([...shape]);
}

/** @throws CheckpointError unless the sources use every key exactly once */
function checkKeys(keys: Iterable<string>, sources: ReadonlyMap<string, KeySource>): void {
  const left = new Set(keys);
  const missing: string[] = [];
  for (const { keys: used } of sources.values()) for (const key of used) if (!left.delete(key)) missing.push(key);
  const problems = [
    ...(missing.length > 0 ? [`${missing.length} are missing, such as "${missing[0]}"`] : []),
    ...(left.size > 0 ? [`${left.size} have no place, such as "${[...left][0]}"`] : []),
  ];
  if (problems.length > 0)
    throw new CheckpointError(`key map: the checkpoint must hold the model's tensors: ${problems.join("; ")}`);
}
