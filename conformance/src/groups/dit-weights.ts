import { tensor, type Tensor } from "@omni/core";
import type { Module } from "@omni/core/nn";
import type { KeyRule } from "@omni/core/checkpoint";
import { fromUpstream } from "@omni/dit";
import type { Weights } from "../types.ts";

/** Where a module stands in the network that the rules are for, when it is but a part. */
export interface Place {
  readonly ours: string;
  readonly theirs: string;
}

/**
 * Puts upstream's weights into a module as lazy expressions of them, so that gradients are those of upstream's own tensors.
 *
 * @returns the leaf behind an upstream key
 */
export function joinUpstream(
  module: Module,
  weights: Weights,
  rules: readonly KeyRule[],
  { ours, theirs }: Place = { ours: "", theirs: "" },
): (key: string) => Tensor | undefined {
  const leaves = new Map(
    [...weights].map(([key, { shape, data }]) => [key, tensor(Float32Array.from(data), { shape })]),
  );
  const state = Object.fromEntries([...leaves].map(([key, leaf]) => [theirs + key, leaf]));
  const targets = Object.fromEntries(Object.entries(module.stateDict()).map(([name, t]) => [ours + name, t]));
  const joined = Object.entries(fromUpstream(state, targets, rules));
  module.loadStateDict(Object.fromEntries(joined.map(([name, t]) => [name.slice(ours.length), t])));
  return (key) => leaves.get(key);
}
