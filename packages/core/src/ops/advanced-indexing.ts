import { DTypeError, ShapeError } from "../base/errors.ts";
import { broadcastShapes, formatShape, sizeOf, type Shape } from "../base/shape.ts";
import type { Node } from "../graph/node.ts";
import { scatterRows } from "../primitives/gather.ts";
import { expectDType } from "../tensor/build.ts";
import { Tensor, where } from "../tensor/tensor.ts";
import { gatherRows } from "./embedding.ts";
import { lastWriters } from "./search.ts";

/** An i32 tensor of ids for each axis, from the first; null takes an axis whole, and so does leaving off the last ones. */
export type Indices = readonly (Tensor | null)[];

/** The indexed axes as one of rows, and where in the result the others lie. */
interface Addressed {
  /** [1, rows, width] of x, or of a result: [indices, others]. */
  readonly asTable: (t: Tensor) => Tensor;
  readonly fromTable: (table: Tensor) => Tensor;
  /** Rows in x's table that each index means, i32 [1, m]; −1 outside. */
  readonly ids: Tensor;
  readonly rows: number;
  /** Shape of x[indices], and its places in the order [indices, others]. */
  readonly shape: Shape;
  readonly order: readonly number[];
}

const inverse = (order: readonly number[]): number[] => order.map((_, i) => order.indexOf(i));

function addressed(op: string, x: Tensor, indices: Indices): Addressed {
  if (indices.length > x.ndim)
    throw new ShapeError(
      `${op}: must have at most ${x.ndim} indices for ${formatShape(x.shape)}, got ${indices.length}`,
    );
  const given = indices.flatMap((ids, axis) => (ids ? [{ ids, axis }] : []));
  for (const { ids } of given)
    if (ids.dtype !== "i32" && ids.dtype !== "u32")
      throw new DTypeError(`${op}: indices must be i32, got ${ids.dtype}; cast them, or take nonzero of a mask first`);
  const first = given[0]?.axis;
  if (first === undefined) throw new ShapeError(`${op}: needs at least one index tensor`);
  const axes = given.map(({ axis }) => axis);
  const others = x.shape.flatMap((_, a) => (axes.includes(a) ? [] : [a]));
  const sizes = others.map((a) => x.shape[a] ?? 1);
  const picked = given.reduce<Shape>((shape, { ids }) => broadcastShapes(op, shape, ids.shape), []);

  const sides = given.map(({ ids, axis }) => {
    const n = x.shape[axis] ?? 0;
    const raw = ids.cast("i32").expand(picked);
    const id = where(raw.lt(0), raw.add(n), raw);
    return { n, id, inside: id.ge(0).and(id.lt(n)) };
  });
  const all = sides.reduce((a, b) => ({ n: b.n, id: a.id.mul(b.n).add(b.id), inside: a.inside.and(b.inside) }));

  const rows = sizeOf(axes.map((a) => x.shape[a] ?? 1));
  const toFront = [...axes, ...others];
  // indices side by side stay in their place; apart, they come first
  const together = axes.every((a, i) => a === first + i);
  const before = together ? others.filter((a) => a < first).length : 0;
  const front = picked.length;
  // of the result: the indices' axes, then the others
  const order = [...picked.map((_, i) => before + i), ...others.map((_, i) => (i < before ? i : front + i))];
  const full = [...picked, ...sizes];
  return {
    asTable: (t) => t.permute(toFront).reshape([1, rows, sizeOf(sizes)]),
    fromTable: (table) => table.reshape([...axes.map((a) => x.shape[a] ?? 1), ...sizes]).permute(inverse(toFront)),
    ids: where(all.inside, all.id, -1).reshape([1, sizeOf(picked)]),
    rows,
    shape: inverse(order).map((i) => full[i] ?? 1),
    order,
  };
}

/**
 * Indexing by several tensors at once: y[i…] = x[a[i…], b[i…], …] for indices that broadcast against each other. Negative ids count from the
 * back; an id outside its axis reads zeros. The indices' axes take the place of the indexed ones where these are side by side, and come first
 * where not.
 *
 * ```ts
 * index(x, [rows, columns]);      // x[rows, columns]
 * index(x, [null, ids]);          // x[:, ids]
 * ```
 *
 * @throws ShapeError for more indices than axes, or such as do not broadcast; DTypeError unless they are i32 (a mask: `nonzero` first)
 * @see NumPy, "Advanced indexing"
 */
export function index(x: Tensor, indices: Indices): Tensor {
  const { asTable, ids, shape, order } = addressed("index", x, indices);
  const taken = gatherRows(asTable(x), ids);
  return taken.reshape(order.map((i) => shape[i] ?? 1)).permute(inverse(order));
}

/**
 * x with what `index(x, indices)` reads replaced by `values`; where several write one place the last does. With `accumulate` they are added,
 * in their order. Ids outside their axis write nowhere.
 *
 * @param values broadcast to the shape of `index(x, indices)`; f32 to accumulate
 * @see torch.Tensor.index_put
 */
export function indexPut(
  x: Tensor,
  indices: Indices,
  values: Tensor,
  { accumulate = false }: { accumulate?: boolean } = {},
): Tensor {
  const { asTable, fromTable, ids, rows, shape, order } = addressed("indexPut", x, indices);
  if (formatShape(broadcastShapes("indexPut", values.shape, shape)) !== formatShape(shape))
    throw new ShapeError(`indexPut: values must broadcast to ${formatShape(shape)}, got ${formatShape(values.shape)}`);
  if (x.dtype !== values.dtype)
    throw new DTypeError(`indexPut: values must be ${x.dtype} as x is, got ${values.dtype}; cast them`);
  if (x.size === 0) return x;
  const table = asTable(x);
  const [, , width = 1] = table.shape;
  const source = values.expand(shape).permute(order).reshape([1, ids.size, width]);
  if (accumulate) {
    expectDType("indexPut", x.dtype, ["f32"]);
    return x.add(fromTable(scatterRows(source, ids, rows, (node: Node) => new Tensor(node))));
  }
  const writers = lastWriters(ids.reshape([ids.size]), rows).reshape([1, rows]);
  return fromTable(where(writers.ge(0).unsqueeze(2), gatherRows(source, writers), table));
}
