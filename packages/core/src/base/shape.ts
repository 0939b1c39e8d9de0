import { ShapeError } from "./errors.ts";

/** Sizes of the axes, outermost first; [] is a scalar. */
export type Shape = readonly number[];

export const sizeOf = (shape: Shape): number => shape.reduce((product, n) => product * n, 1);

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((n, i) => n === b[i]);

export const formatShape = (shape: Shape): string => `[${shape.join(", ")}]`;

/** Index of `axis` counted from the front. @throws ShapeError when it is outside [-ndim, ndim). */
export function normalizeAxis(op: string, axis: number, ndim: number): number {
  const index = axis < 0 ? axis + ndim : axis;
  if (!Number.isInteger(axis) || index < 0 || index >= ndim)
    throw new ShapeError(`${op}: axis must be in [${-ndim}, ${ndim - 1}] for ${ndim} dimensions, got ${axis}`);
  return index;
}

/** Axes as sorted front indices; undefined means all. @throws ShapeError on a repeated axis. */
export function normalizeAxes(op: string, axis: number | readonly number[] | undefined, ndim: number): number[] {
  if (axis === undefined) return Array.from({ length: ndim }, (_, i) => i);
  const list = typeof axis === "number" ? [axis] : axis;
  const axes = list.map((a) => normalizeAxis(op, a, ndim)).sort((a, b) => a - b);
  if (new Set(axes).size !== axes.length) throw new ShapeError(`${op}: axes must differ, got [${list.join(", ")}]`);
  return axes;
}

/** NumPy broadcasting of two shapes. @throws ShapeError when a pair of sizes differs and neither is 1. */
export function broadcastShapes(op: string, a: Shape, b: Shape): number[] {
  const ndim = Math.max(a.length, b.length);
  const out: number[] = [];
  for (let i = 0; i < ndim; i++) {
    const x = a[a.length - ndim + i] ?? 1;
    const y = b[b.length - ndim + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1)
      throw new ShapeError(`${op}: shapes must broadcast, got ${formatShape(a)} and ${formatShape(b)}`);
    out.push(x === 1 ? y : x);
  }
  return out;
}

/** Row-major strides in elements. */
export function contiguousStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i] ?? 1;
  }
  return strides;
}

/** @throws ShapeError unless every size is a whole number ≥ 0. */
export function checkShape(op: string, shape: Shape): Shape {
  if (!shape.every((n) => Number.isInteger(n) && n >= 0))
    throw new ShapeError(`${op}: sizes must be whole numbers of at least 0, got ${formatShape(shape)}`);
  return shape;
}

/** @throws ShapeError unless `got` equals `want`; a null in `want` allows any size. */
export function expectShape(op: string, name: string, got: Shape, want: readonly (number | null)[]): void {
  if (got.length !== want.length || !want.every((n, i) => n === null || n === got[i]))
    throw new ShapeError(
      `${op}: ${name} must have shape [${want.map((n) => n ?? "any").join(", ")}], got ${formatShape(got)}`,
    );
}
