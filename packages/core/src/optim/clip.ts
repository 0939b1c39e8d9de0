import { tensor, zeros } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { NamedTensors } from "./optimizer.ts";

/** A number as an input of the plan: changing it compiles nothing. */
const given = (value: number): Tensor => tensor(Float32Array.of(value), { shape: [] });

/** What `clipGradNorm` finds, as scalars of the plan. */
export interface ClippedNorm {
  /** Factor that bounds the norm: an optimiser's `gradScale`. */
  readonly scale: Tensor;
  /** The norm before it is bounded. */
  readonly norm: Tensor;
}

/**
 * Norm of all gradients together, and the factor min(1, maxNorm / (norm + 1e-6)) that bounds it, as PyTorch's `clip_grad_norm_`. Give `scale`
 * to the optimiser as `gradScale`.
 *
 * @param options.kind "l2": √Σ g²; "max": the largest |g|
 * @returns scalars
 */
export function clipGradNorm(
  grads: NamedTensors,
  maxNorm: number,
  { kind = "l2" }: { kind?: "l2" | "max" } = {},
): ClippedNorm {
  const full = Object.values(grads).filter((g) => g.size > 0);
  const norm =
    kind === "l2"
      ? joinAll(
          full.map((g) => g.square().sum()),
          (a, b) => a.add(b),
        ).sqrt()
      : joinAll(
          full.map((g) => g.abs().max()),
          (a, b) => a.maximum(b),
        );
  return { scale: norm.add(1e-6).reciprocal().mul(given(maxNorm)).minimum(1), norm };
}

/** Gradients cut to [-limit, limit], element by element, as PyTorch's `clip_grad_value_`. */
export const clipGradValue = (grads: NamedTensors, limit: number): Record<string, Tensor> => {
  const [low, high] = [given(-limit), given(limit)];
  return Object.fromEntries(Object.entries(grads).map(([name, g]) => [name, g.maximum(low).minimum(high)]));
};

/** Pairwise, so that the graph is not a chain as long as the list. */
function joinAll(terms: readonly Tensor[], join: (a: Tensor, b: Tensor) => Tensor): Tensor {
  const [first, second] = terms;
  if (!first) return zeros([]);
  if (!second) return first;
  const half = Math.ceil(terms.length / 2);
  return join(joinAll(terms.slice(0, half), join), joinAll(terms.slice(half), join));
}
