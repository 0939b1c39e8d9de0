import { CheckpointError, concat, stack } from "@omni/core";
import type { Tensor } from "@omni/core";

/** How tensors of an upstream checkpoint make one of ours. */
export type Join = (parts: readonly Tensor[]) => Tensor;

/** One of our parameters, as a pattern, and the upstream tensors that it is made of; `$1` … stand for the pattern's groups. */
export interface KeyRule {
  readonly ours: RegExp;
  readonly theirs: readonly string[];
  /** Default: one after the other along axis 0. */
  readonly join?: Join;
}

/** Where one of our parameters comes from. */
export interface KeySource {
  readonly keys: readonly string[];
  readonly join: Join;
}

const only = (parts: readonly Tensor[]): Tensor => {
  const [part] = parts;
  if (!part) throw new CheckpointError("key map: a rule must name at least one upstream tensor");
  return part;
};

/** Rows of one tensor after the other's: q, k and v as one projection. */
export const rows: Join = (parts) => (parts.length === 1 ? only(parts) : concat([...parts], { axis: 0 }));

/** Vectors of length D → [n, D]. */
export const table: Join = (parts) => stack([...parts], { axis: 0 });

/** A convolution over patches as a matrix: [D, C, 1, 2, 2] → [D, 4 C]. */
export const flat: Join = (parts) => only(parts).reshape([only(parts).shape[0] ?? 0, -1]);

/** Without leading axes of size 1: [1, 6, D] → [6, D]. */
export const squeezed: Join = (parts) => only(parts).reshape(only(parts).shape.slice(1));

/** The second half of the rows first: (scale, shift) → (shift, scale). */
export const swapped: Join = (parts) => {
  const half = (only(parts).shape[0] ?? 0) / 2;
  return concat([only(parts).slice(0, half), only(parts).slice(0, 0, half)], { axis: 0 });
};

/** Outputs of a patch in the order (y, x, channel) → ours, (channel, y, x), for patches of 2×2. */
export const channelsFirst: Join = (parts) => {
  const { shape } = only(parts);
  const [outputs = 0, ...rest] = shape;
  const split = only(parts).reshape([4, outputs / 4, ...rest]);
  return split.permute([1, 0, ...rest.map((_, i) => i + 2)]).reshape(shape);
};

/**
 * Where each of our parameters comes from.
 *
 * @throws CheckpointError when a parameter has no rule
 */
export function keySources(names: Iterable<string>, rules: readonly KeyRule[]): ReadonlyMap<string, KeySource> {
  const sources = new Map<string, KeySource>();
  for (const name of names) {
    const rule = rules.find(({ ours }) => ours.test(name));
    if (!rule) throw new CheckpointError(`key map: "${name}" must have a rule`);
    sources.set(name, {
      keys: rule.theirs.map((key) => name.replace(rule.ours, key)),
      join: rule.join ?? rows,
    });
  }
  return sources;
}

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
    const value = join(keys.flatMap((key) => state[key] ?? []));
    const wanted = targets[name]?.shape ?? [];
    if (value.shape.join() !== wanted.join())
      throw new CheckpointError(
        `key map: ${keys.join(" + ")} must make ${name} of shape [${wanted.join(", ")}], got [${value.shape.join(", ")}]; check the config`,
      );
    ours[name] = value;
  }
  return ours;
}

/** @throws CheckpointError unless the sources use every key exactly once */
export function checkKeys(keys: Iterable<string>, sources: ReadonlyMap<string, KeySource>): void {
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
