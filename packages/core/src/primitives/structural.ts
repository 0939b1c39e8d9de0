import { expandView, permuteView, reshapeView, sliceView } from "../base/view.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { nextOpId, type MovementOp, type StructuralKind, type StructuralOp, type Vjp } from "./op.ts";

const movement = (
  name: string,
  view: MovementOp["view"],
  vjp: (dy: Tensor, x: Tensor, attrs: readonly number[]) => Tensor | null,
  linear = false,
): MovementOp => ({
  id: nextOpId(),
  name,
  kind: "movement",
  view,
  linear,
  vjp: (dy, [x], _, attrs) => [x ? vjp(dy, x, attrs) : null],
});

export const inversePermutation = (order: readonly number[]): number[] => {
  const inverse = new Array<number>(order.length).fill(0);
  order.forEach((from, to) => (inverse[from] = to));
  return inverse;
};

export const reshape = movement(
  "reshape",
  (v, shape) => reshapeView(v, shape),
  (dy, x) => dy.reshape(x.shape),
  true,
);
/** attrs: the order. */
export const permute = movement(
  "permute",
  (v, _, order) => permuteView(v, order),
  (dy, _, order) => dy.permute(inversePermutation(order)),
);
export const expand = movement(
  "expand",
  (v, shape) => expandView(v, shape),
  (dy, x) => {
    const axes = x.shape.flatMap((n, i) => (n === dy.shape[i] ? [] : [i]));
    return dy.sum({ axis: axes, keepdim: true });
  },
);
/** attrs: starts, steps (±1 or more), then lengths, an axis each. */
export const slice = movement(
  "slice",
  (v, shape, attrs) => sliceView(v, shape, attrs.slice(0, shape.length), attrs.slice(shape.length, 2 * shape.length)),
  (dy, x, attrs) => {
    const ndim = x.ndim;
    let g = dy;
    for (let a = 0; a < ndim; a++) {
      const start = attrs[a] ?? 0;
      const step = attrs[ndim + a] ?? 1;
      const size = x.shape[a] ?? 0;
      const n = dy.shape[a] ?? 0;
      if (step < 0) g = g.flip(a);
      const low = step < 0 ? start + step * (n - 1) : start;
      g = dilate(g, a, Math.abs(step));
      const length = n === 0 ? 0 : (n - 1) * Math.abs(step) + 1;
      const pads = x.shape.map((_, i): [number, number] => (i === a ? [low, size - low - length] : [0, 0]));
      if (low !== 0 || size !== length) g = g.pad(pads);
    }
    return g;
  },
);

/** Puts step − 1 zeros between the elements of an axis. */
function dilate(x: Tensor, axis: number, step: number): Tensor {
  const n = x.shape[axis] ?? 0;
  if (step === 1 || n <= 1) return x;
  const split = [...x.shape.slice(0, axis + 1), 1, ...x.shape.slice(axis + 1)];
  const merged = x.shape.map((size, i) => (i === axis ? size * step : size));
  return x
    .reshape(split)
    .pad(split.map((_, i): [number, number] => (i === axis + 1 ? [0, step - 1] : [0, 0])))
    .reshape(merged)
    .slice(axis, 0, (n - 1) * step + 1);
}

const structural = (kind: StructuralKind, vjp: Vjp, name: string = kind): StructuralOp => ({
  id: nextOpId(),
  name,
  kind,
  vjp,
});
const leafVjp: Vjp = (_, inputs) => inputs.map(() => null);

/** attrs: the value. */
export const constant = structural("const", leafVjp);
/** attrs: the axis along which the result counts 0, 1, 2, … */
export const iota = structural("iota", leafVjp);
/** Input: a u32[4] leaf (key, counter base). attrs: 0 = bits, 1 = uniform [0, 1), 2 = standard normal. */
export const random = structural("random", leafVjp);
/** attrs: the value, then [before, after] an axis. */
export const pad = structural("pad", (dy, [x], _, attrs) => {
  if (!x) return [];
  let g = dy;
  x.shape.forEach((n, a) => {
    const before = attrs[1 + 2 * a] ?? 0;
    if (g.shape[a] !== n) g = g.slice(a, before, before + n);
  });
  return [g];
});
/** attrs: the axis. */
export const concat = structural("concat", (dy, inputs, _, [axis = 0]) => {
  let start = 0;
  return inputs.map((x) => {
    const end = start + (x.shape[axis] ?? 0);
    const piece = dy.slice(axis, start, end);
    start = end;
    return piece;
  });
});

export interface ReduceOp extends StructuralOp {
  /** The reduction of nothing. */
  readonly identity: number;
  readonly combine: (a: string, b: string) => string;
}

/** attrs: the scale of the result, then the reduced axes. The result keeps them with size 1. */
export const reduceSum: ReduceOp = {
  ...structural("reduce", (dy, [x], _, [scale = 1]) => [x ? dy.mul(scale).expand(x.shape) : null], "sum"),
  identity: 0,
  combine: (a, b) => `(${a} + ${b})`,
};
const extremum = (name: "max" | "min", identity: number): ReduceOp => ({
  ...structural(
    "reduce",
    (dy, [x], y, [, ...axes]) => {
      if (!x) return [];
      // ties share the gradient evenly, as torch.amax does
      const hit = x.eq(y.expand(x.shape)).cast("f32");
      const share = dy.div(hit.sum({ axis: axes, keepdim: true }));
      return [hit.mul(share.expand(x.shape))];
    },
    name,
  ),
  identity,
  // NaN wins
  combine: (a, b) => `select(${a}, ${b}, (${b} ${name === "max" ? ">" : "<"} ${a}) | !(${b} == ${b}))`,
});
export const reduceMax = extremum("max", -Infinity);
export const reduceMin = extremum("min", Infinity);

/** Output `attrs[0]` of a kernel with several. Its gradient is collected by the walk itself. */
export const pick = structural("pick", leafVjp);

/** A linear view that stops the gradient. */
export const detach: MovementOp = {
  ...movement(
    "detach",
    (v, shape) => reshapeView(v, shape),
    () => null,
    true,
  ),
};
