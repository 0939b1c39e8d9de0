import { DTypeError, ShapeError } from "../base/errors.ts";
import { formatShape, normalizeAxis, sizeOf } from "../base/shape.ts";
import { Node } from "../graph/node.ts";
import { lastWriterOp, scatterRows } from "../primitives/gather.ts";
import { expectDType } from "../tensor/build.ts";
import { arange } from "../tensor/create.ts";
import { full, Tensor, where } from "../tensor/tensor.ts";
import { rowsAlong } from "./along-axis.ts";
import { gatherRows } from "./embedding.ts";

const wrap = (node: Node): Tensor => new Tensor(node);

/** Ids as i32. @throws DTypeError unless they are whole numbers */
function indices(op: string, ids: Tensor): Tensor {
  if (ids.dtype === "u32") return ids.cast("i32");
  if (ids.dtype !== "i32") throw new DTypeError(`${op}: indices must be i32, got ${ids.dtype}; cast them`);
  return ids;
}

/** Ids below 0 count from the back. */
const fromFront = (ids: Tensor, n: number): Tensor => where(ids.lt(0), ids.add(n), ids);

/** [outer, n, width] around an axis, and back. */
function tables(x: Tensor, axis: number): { table: Tensor; restore: (t: Tensor) => Tensor } {
  const order = [axis, ...x.shape.map((_, i) => i).filter((i) => i !== axis)];
  const others = order.slice(1).map((i) => x.shape[i] ?? 1);
  const back = order.map((_, i) => order.indexOf(i));
  return {
    table: x.permute(order).reshape([1, x.shape[axis] ?? 0, sizeOf(others)]),
    restore: (t) => t.reshape([t.shape[1] ?? 0, ...others]).permute(back),
  };
}

/**
 * Slices of an axis: y[…, i, …] = x[…, ids[i], …]. Negative ids count from the back; an id outside the axis gives zeros.
 *
 * @param ids i32 [m]
 */
export function indexSelect(x: Tensor, axis: number, ids: Tensor): Tensor {
  const a = normalizeAxis("indexSelect", axis, x.ndim);
  if (ids.ndim > 1) throw new ShapeError(`indexSelect: ids must be [m], got ${formatShape(ids.shape)}`);
  const m = ids.size;
  const { table, restore } = tables(x, a);
  const rows = fromFront(indices("indexSelect", ids), x.shape[a] ?? 0).reshape([1, m]);
  return restore(gatherRows(table, rows));
}

/**
 * x plus each slice of `source` at its id: y[…, ids[i], …] = x[…, ids[i], …] + Σ source[…, i, …]. Ids outside the axis are left out.
 *
 * @param x f32, as `source` is
 * @param ids i32 [m]
 * @param source shaped as x but m along the axis
 */
export function indexAdd(x: Tensor, axis: number, ids: Tensor, source: Tensor): Tensor {
  const a = normalizeAxis("indexAdd", axis, x.ndim);
  const wanted = x.shape.map((n, i) => (i === a ? ids.size : n));
  if (ids.ndim > 1 || formatShape(source.shape) !== formatShape(wanted))
    throw new ShapeError(
      `indexAdd: source must be ${formatShape(wanted)} for ids [m], got ${formatShape(source.shape)} and ${formatShape(ids.shape)}`,
    );
  for (const t of [x, source]) expectDType("indexAdd", t.dtype, ["f32"]);
  const { table, restore } = tables(source, a);
  const rows = x.shape[a] ?? 0;
  const at = fromFront(indices("indexAdd", ids), rows).reshape([1, ids.size]);
  return x.add(restore(scatterRows(table, at, rows, wrap)));
}

/** Checks shapes of gather and scatter, and gives ids and the slice of x that they reach, as rows. */
function aligned(op: string, x: Tensor, axis: number, ids: Tensor): { axis: number; reached: Tensor; at: Tensor } {
  const a = normalizeAxis(op, axis, x.ndim);
  if (ids.ndim !== x.ndim || ids.shape.some((n, i) => i !== a && n > (x.shape[i] ?? 0)))
    throw new ShapeError(
      `${op}: indices must have x's axes and, but in axis ${a}, be no longer, got ${formatShape(ids.shape)} for ${formatShape(x.shape)}`,
    );
  const reached = ids.shape.reduce((t, n, i) => (i === a ? t : t.slice(i, 0, n)), x);
  return { axis: a, reached, at: fromFront(indices(op, ids), x.shape[a] ?? 0) };
}

/**
 * Elements along an axis: y[…, i, …] = x[…, ids[…, i, …], …]. Negative ids count from the back; an id outside the axis gives zero.
 *
 * @param ids i32, of x's rank, in other axes no longer than x
 * @see torch.gather
 */
export function gather(x: Tensor, axis: number, ids: Tensor): Tensor {
  const found = aligned("gather", x, axis, ids);
  const { rows, restore } = rowsAlong("gather", found.reached, axis);
  const at = rowsAlong("gather", found.at, axis).rows;
  return restore(gatherRows(rows.unsqueeze(2), at).squeeze(2));
}

/** Adds to the corner of x that the ids reach. */
function addToCorner(x: Tensor, part: Tensor): Tensor {
  return x.add(part.pad(x.shape.map((n, i): [number, number] => [0, n - (part.shape[i] ?? 0)])));
}

/**
 * x plus the elements of `source` at their ids: y[…, ids[…, i, …], …] += source[…, i, …], in the order of i.
 *
 * @param x f32, as `source` is
 * @param source at least as long as the ids in every axis
 * @see torch.scatter_add
 */
export function scatterAdd(x: Tensor, axis: number, ids: Tensor, source: Tensor): Tensor {
  for (const t of [x, source]) expectDType("scatterAdd", t.dtype, ["f32"]);
  const { reached, at } = aligned("scatterAdd", x, axis, ids);
  const { rows: targets, restore } = rowsAlong("scatterAdd", reached, axis);
  const values = rowsAlong("scatterAdd", cornerOf("scatterAdd", source, ids), axis).rows;
  const places = rowsAlong("scatterAdd", at, axis).rows;
  return addToCorner(x, restore(scatterRows(values.unsqueeze(2), places, targets.shape[1] ?? 0, wrap).squeeze(2)));
}

function cornerOf(op: string, source: Tensor, ids: Tensor): Tensor {
  if (source.ndim !== ids.ndim || ids.shape.some((n, i) => n > (source.shape[i] ?? 0)))
    throw new ShapeError(
      `${op}: source must be at least as long as the indices, got ${formatShape(source.shape)} and ${formatShape(ids.shape)}`,
    );
  return ids.shape.reduce((t, n, i) => t.slice(i, 0, n), source);
}

/**
 * x with elements replaced: y[…, ids[…, i, …], …] = source[…, i, …]. Where several write one place the last does.
 *
 * @see torch.scatter
 */
export function scatter(x: Tensor, axis: number, ids: Tensor, source: Tensor | number): Tensor {
  const { reached, at } = aligned("scatter", x, axis, ids);
  const from = typeof source === "number" ? full(ids.shape, source, x.dtype) : source;
  const { rows: targets, restore } = rowsAlong("scatter", reached, axis);
  const values = rowsAlong("scatter", cornerOf("scatter", from, ids), axis).rows;
  const places = rowsAlong("scatter", at, axis).rows;
  const writer = new Tensor(new Node(lastWriterOp, [places.node], [targets.shape[1] ?? 0], targets.shape, "i32"));
  const written = gatherRows(values.unsqueeze(2), writer).squeeze(2);
  const replaced = restore(where(writer.ge(0), written, targets));
  if (formatShape(reached.shape) === formatShape(x.shape)) return replaced;
  const pads = x.shape.map((n, i): [number, number] => [0, n - (reached.shape[i] ?? 0)]);
  const inside = full(reached.shape, 1, "i32").pad(pads).ne(0);
  return where(inside, replaced.pad(pads), x);
}

/** `value` where the mask holds, else x; the mask broadcasts. */
export const maskedFill = (x: Tensor, mask: Tensor, value: number): Tensor => where(mask, value, x);

/** 1 at each id and 0 elsewhere, i32 […, classes]. */
export function oneHot(ids: Tensor, classes: number): Tensor {
  return arange(classes, { dtype: "i32" }).eq(indices("oneHot", ids).unsqueeze(-1)).cast("i32");
}

/** column − row of the last two axes. */
function offsets(op: string, x: Tensor): Tensor {
  const [rows, columns] = x.shape.slice(-2);
  if (rows === undefined || columns === undefined)
    throw new ShapeError(`${op}: x must be [..., rows, columns], got ${formatShape(x.shape)}`);
  return arange(columns, { dtype: "i32" }).sub(arange(rows, { dtype: "i32" }).unsqueeze(1));
}

/** Zeros above the given diagonal of the last two axes. */
export const tril = (x: Tensor, diagonal = 0): Tensor => where(offsets("tril", x).le(diagonal), x, 0);
/** Zeros below the given diagonal of the last two axes. */
export const triu = (x: Tensor, diagonal = 0): Tensor => where(offsets("triu", x).ge(diagonal), x, 0);

/** Elements i, i + offset of the last two axes. */
export function diagonal(x: Tensor, offset = 0): Tensor {
  const [rows, columns] = x.shape.slice(-2);
  if (rows === undefined || columns === undefined)
    throw new ShapeError(`diagonal: x must be [..., rows, columns], got ${formatShape(x.shape)}`);
  const [top, left] = [Math.max(0, -offset), Math.max(0, offset)];
  const length = Math.max(0, Math.min(rows - top, columns - left));
  const flat = x.reshape([...x.shape.slice(0, -2), rows * columns]);
  if (length === 0) return flat.slice(-1, 0, 0);
  const start = top * columns + left;
  return flat.slice(-1, start, start + (length - 1) * (columns + 1) + 1, columns + 1);
}

/** Sum of the main diagonal of the last two axes. */
export const trace = (x: Tensor): Tensor => diagonal(x).sum({ axis: -1 });
