import { arange } from "../tensor/create.ts";
import { concat } from "../tensor/join.ts";
import { full, realize, type Tensor } from "../tensor/tensor.ts";
import { cumsum } from "./cumulative.ts";
import { gather, indexSelect } from "./indexing.ts";
import { searchSorted } from "./search.ts";
import { argsort } from "./sort.ts";

/** Distinct values of a tensor. */
export interface Unique {
  /** [count], of the tensor's dtype. */
  readonly values: Tensor;
  /** Which of them each element is, i32, shaped as the tensor. */
  readonly inverse: Tensor;
  /** How often each occurs, i32 [count]. */
  readonly counts: Tensor;
}

/** Runs of equal values of a row [n]; which of them each element belongs to. */
async function runs(row: Tensor): Promise<Unique> {
  const n = row.size;
  if (n === 0) return { values: row, inverse: full([0], 0, "i32"), counts: full([0], 0, "i32") };
  const changes = row
    .slice(0, 1)
    .ne(row.slice(0, 0, n - 1))
    .cast("i32");
  const inverse = cumsum(concat([full([1], 0, "i32"), changes]), 0);
  const last = inverse.slice(0, -1);
  await realize([inverse, last]);
  const count = (await last.item()) + 1;
  const edges = searchSorted(inverse, arange(count + 1, { dtype: "i32" }));
  const starts = edges.slice(0, 0, count);
  return { values: indexSelect(row, 0, starts), inverse, counts: edges.slice(0, 1).sub(starts) };
}

/**
 * The distinct values of a tensor, rising, with which of them each element is and how often each occurs. It runs what x depends on, as the
 * result's size depends on it. Each NaN is distinct, and they come last. No gradient.
 *
 * @see torch.unique
 */
export async function unique(x: Tensor): Promise<Unique> {
  if (x.dtype === "bool") {
    const found = await unique(x.cast("i32"));
    return { ...found, values: found.values.cast("bool") };
  }
  const row = x.detach().reshape([x.size]);
  const order = argsort(row);
  const { values, inverse, counts } = await runs(gather(row, 0, order));
  return { values, inverse: gather(inverse, 0, argsort(order)).reshape(x.shape), counts };
}

/** The same of runs: of equal neighbours in row-major order all but the first are left out. @see torch.unique_consecutive */
export async function uniqueConsecutive(x: Tensor): Promise<Unique> {
  const { values, inverse, counts } = await runs(x.detach().reshape([x.size]));
  return { values, inverse: inverse.reshape(x.shape), counts };
}
