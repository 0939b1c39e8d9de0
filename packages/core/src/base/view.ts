import { contiguousStrides, sizeOf, type Shape } from "./shape.ts";

/** How a logical tensor lies in a buffer: element (i0, i1, …) is at offset + Σ ik·strides[k]. */
export interface View {
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
}

export const contiguousView = (shape: Shape): View => ({ shape, strides: contiguousStrides(shape), offset: 0 });

/** Strides over dimensions in which neighbours that lie end to end are merged and sizes of 1 dropped. */
export interface Collapsed {
  readonly dims: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

export function collapse({ shape, strides, offset }: View): Collapsed {
  const dims: number[] = [];
  const steps: number[] = [];
  for (let i = 0; i < shape.length; i++) {
    const n = shape[i] ?? 1;
    const step = strides[i] ?? 0;
    if (n === 1) continue;
    const last = dims.length - 1;
    if (last >= 0 && steps[last] === step * n) {
      dims[last] = (dims[last] ?? 1) * n;
      steps[last] = step;
    } else {
      dims.push(n);
      steps.push(step);
    }
  }
  return { dims, strides: steps, offset };
}

export function isContiguous(view: View): boolean {
  const { dims, strides } = collapse(view);
  return dims.length === 0 || (dims.length === 1 && strides[0] === 1) || sizeOf(view.shape) === 0;
}

export const permuteView = (view: View, order: readonly number[]): View => ({
  shape: order.map((i) => view.shape[i] ?? 1),
  strides: order.map((i) => view.strides[i] ?? 0),
  offset: view.offset,
});

/** `shape` has the view's rank; a size may grow from 1. */
export const expandView = (view: View, shape: Shape): View => ({
  shape,
  strides: view.strides.map((s, i) => (view.shape[i] === shape[i] ? s : 0)),
  offset: view.offset,
});

/** Element k of axis a is element starts[a] + k·steps[a] of the source; a step may be negative. */
export const sliceView = (view: View, shape: Shape, starts: readonly number[], steps: readonly number[]): View => ({
  shape,
  strides: view.strides.map((s, i) => s * (steps[i] ?? 1)),
  offset: view.offset + view.strides.reduce((sum, s, i) => sum + s * (starts[i] ?? 0), 0),
});

/** The view with another shape, or null where no strides can express it. */
export function reshapeView(view: View, shape: Shape): View | null {
  if (sizeOf(shape) === 0 || isContiguous(view)) return { ...contiguousView(shape), offset: view.offset };
  const dims: number[] = [];
  const steps: number[] = [];
  view.shape.forEach((n, i) => {
    if (n === 1) return;
    dims.push(n);
    steps.push(view.strides[i] ?? 0);
  });
  const strides = new Array<number>(shape.length).fill(0);
  let from = 0;
  let to = 0;
  while (from < dims.length && to < shape.length) {
    let have = dims[from] ?? 1;
    let want = shape[to] ?? 1;
    const firstFrom = from;
    const firstTo = to;
    while (have !== want) {
      if (have < want) have *= dims[++from] ?? 1;
      else want *= shape[++to] ?? 1;
    }
    for (let k = firstFrom; k < from; k++) if (steps[k] !== (dims[k + 1] ?? 1) * (steps[k + 1] ?? 0)) return null;
    let step = steps[from] ?? 0;
    for (let k = to; k >= firstTo; k--) {
      strides[k] = step;
      step *= shape[k] ?? 1;
    }
    from++;
    to++;
  }
  return { shape, strides, offset: view.offset };
}
