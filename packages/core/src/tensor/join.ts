import { ShapeError } from "../base/errors.ts";
import { formatShape, normalizeAxis } from "../base/shape.ts";
import * as build from "./build.ts";
import { Tensor } from "./tensor.ts";

/** Joins tensors along an axis; the other sizes must agree. */
export function concat(tensors: readonly Tensor[], { axis = 0 }: { axis?: number } = {}): Tensor {
  const [first, ...rest] = tensors;
  if (!first) throw new ShapeError("concat: needs at least one tensor");
  if (rest.length === 0) return first;
  const a = normalizeAxis("concat", axis, first.ndim);
  for (const t of rest)
    if (t.ndim !== first.ndim || t.dtype !== first.dtype || t.shape.some((n, i) => i !== a && n !== first.shape[i]))
      throw new ShapeError(
        `concat: tensors must agree but in axis ${a}, got ${first.dtype} ${formatShape(first.shape)} and ${t.dtype} ${formatShape(t.shape)}`,
      );
  return new Tensor(
    build.concatNode(
      tensors.map((t) => t.node),
      a,
    ),
  );
}

/** Joins tensors of one shape along a new axis. */
export function stack(tensors: readonly Tensor[], { axis = 0 }: { axis?: number } = {}): Tensor {
  return concat(
    tensors.map((t) => t.unsqueeze(axis)),
    { axis },
  );
}
