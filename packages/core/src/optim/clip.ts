import { zeros, type Tensor } from "../tensor/tensor.ts";

/**
 * Norm of all gradients together, and the factor min(1, maxNorm / norm) that bounds it. Give `scale` to the optimiser as `gradScale`.
 */
export function clipGradNorm(
  grads: Readonly<Record<string, Tensor>>,
  maxNorm: number,
): { scale: Tensor; norm: Tensor } {
  const squares = Object.values(grads).map((g) => g.square().sum());
  const norm = addAll(squares).sqrt();
  return { scale: norm.add(1e-6).reciprocal().mul(maxNorm).minimum(1), norm };
}

/** Pairwise, so that the graph is not a chain as long as the list. */
function addAll(terms: readonly Tensor[]): Tensor {
  const [first, second] = terms;
  if (!first) return zeros([]);
  if (!second) return first;
  const half = Math.ceil(terms.length / 2);
  return addAll(terms.slice(0, half)).add(addAll(terms.slice(half)));
}
