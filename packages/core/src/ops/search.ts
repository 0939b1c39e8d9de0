import { DTypeError, ShapeError } from "../base/errors.ts";
import { formatShape, sameShape, sizeOf } from "../base/shape.ts";
import { arange } from "../tensor/create.ts";
import { full, type Tensor, where } from "../tensor/tensor.ts";
import { defineOp } from "./define-op.ts";
import { gather } from "./indexing.ts";
import { argsort } from "./sort.ts";
import { wgslProgram } from "./wgsl-program.ts";

/** NaN is behind all numbers, as in `sort`. */
const BEFORE = /* wgsl */ `
fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
fn before(a: f32, b: f32) -> bool { return !is_nan(a) && (is_nan(b) || a < b); }
`;

/** Places of values [outer, m] in rows [outer, n] that are in order, by bisection. */
const placesIn = defineOp({
  name: "searchSorted",
  attrs: { right: 0 },
  infer: ([, values]) => ({ shape: values?.shape ?? [], dtype: "i32" }),
  kernel: ([sorted, values], { right }) => {
    const [type, n, m] = [values?.dtype ?? "f32", sorted?.shape[1] ?? 0, values?.shape[1] ?? 0];
    const before = (a: string, b: string): string => (type === "f32" ? `before(${a}, ${b})` : `${a} < ${b}`);
    return wgslProgram({
      label: "searchSorted",
      inputs: [
        { name: "rows", type },
        { name: "values", type },
      ],
      output: { name: "places", type: "i32" },
      sizes: { n, m },
      count: sizeOf(values?.shape ?? []),
      functions: type === "f32" ? BEFORE : "",
      body: /* wgsl */ `let first = g / m * n;
    let value = values[g];
    var low = 0u;
    var high = n;
    while (low < high) {
      let middle = (low + high) / 2u;
      let element = rows[first + middle];
      if (${right === 1 ? `!(${before("value", "element")})` : before("element", "value")}) { low = middle + 1u; } else { high = middle; }
    }
    places[g] = i32(low);`,
    });
  },
});

/** A type that kernels read: whole numbers as they are, all else as f32. */
const wide = (x: Tensor): Tensor => (x.dtype === "i32" || x.dtype === "u32" ? x : x.cast("f32"));

/**
 * Where values would go into a sorted axis: the first i with sorted[i] ≥ value, or with sorted[i] > value if `right`. NaN goes behind all
 * numbers. No gradient.
 *
 * @param sorted [n] for all values, or [..., n] with the leading axes of the values
 * @param values any shape, or [..., m]
 * @returns i32 in [0, n], shaped as the values
 * @see torch.searchsorted
 */
export function searchSorted(sorted: Tensor, values: Tensor, { right = false }: { right?: boolean } = {}): Tensor {
  const shared = sorted.ndim === 1;
  if (sorted.ndim === 0 || (!shared && !sameShape(sorted.shape.slice(0, -1), values.shape.slice(0, -1))))
    throw new ShapeError(
      `searchSorted: sorted must be [n], or share all axes but the last with values, got ${formatShape(sorted.shape)} and ${formatShape(values.shape)}`,
    );
  const [rows, wanted] = [wide(sorted), wide(values)];
  if (rows.dtype !== wanted.dtype)
    throw new DTypeError(
      `searchSorted: operands must share a dtype, got ${sorted.dtype} and ${values.dtype}; cast one`,
    );
  const n = sorted.shape.at(-1) ?? 0;
  const outer = shared ? 1 : sizeOf(sorted.shape.slice(0, -1));
  if (n === 0 || values.size === 0) return full(values.shape, 0, "i32");
  const found = placesIn([rows.reshape([outer, n]), wanted.reshape([outer, values.size / outer])], {
    right: Number(right),
  });
  return found.reshape(values.shape);
}

/**
 * The bin of each value between sorted boundaries [n]: i where boundaries[i−1] < value ≤ boundaries[i], or ≤ and < if `right`.
 *
 * @returns i32 in [0, n], shaped as the values
 * @see torch.bucketize
 */
export function bucketize(values: Tensor, boundaries: Tensor, { right = false }: { right?: boolean } = {}): Tensor {
  if (boundaries.ndim !== 1)
    throw new ShapeError(`bucketize: boundaries must be [n], got ${formatShape(boundaries.shape)}`);
  return searchSorted(boundaries, values, { right });
}

/** How many of the ids [m], i32, are 0, 1, …, n − 1; others count nothing. @internal */
export function countIds(ids: Tensor, n: number): Tensor {
  if (ids.size === 0 || n === 0) return full([n], 0, "i32");
  const sorted = gather(ids, 0, argsort(ids));
  const edges = searchSorted(sorted, arange(n + 1, { dtype: "i32" }));
  return edges.slice(0, 1).sub(edges.slice(0, 0, n));
}

/** The last i with ids[i] = r for each r below `rows`, or −1; ids i32 [m]. @internal */
export function lastWriters(ids: Tensor, rows: number): Tensor {
  if (ids.size === 0 || rows === 0) return full([rows], -1, "i32");
  const order = argsort(ids);
  const sorted = gather(ids, 0, order);
  const wanted = arange(rows, { dtype: "i32" });
  const last = searchSorted(sorted, wanted, { right: true }).sub(1);
  const found = last.ge(0).and(gather(sorted, 0, last.clamp(0)).eq(wanted));
  return where(found, gather(order, 0, last.clamp(0)), -1);
}
