import type { NamedTensors } from "./optimizer.ts";

/** Parameters that share a weight decay; a `ParameterGroup` of any optimiser. */
export interface DecayGroup {
  /** Its parameters by name. */
  readonly params: NamedTensors;
  /** Their weight decay. */
  readonly options: {
    /** λ of all of them. */
    readonly weightDecay: number;
  };
}

/**
 * Two groups: parameters of two axes or more, which decay, and the others (biases, gains), which do not. PyTorch's optimisers decay all they
 * are given; most training recipes split so.
 *
 * @param weightDecay of the first group
 */
export function decayGroups(params: NamedTensors, weightDecay: number): readonly DecayGroup[] {
  const entries = Object.entries(params);
  return [
    { params: Object.fromEntries(entries.filter(([, p]) => p.ndim >= 2)), options: { weightDecay } },
    { params: Object.fromEntries(entries.filter(([, p]) => p.ndim < 2)), options: { weightDecay: 0 } },
  ];
}
