import { ShapeError } from "../base/errors.ts";
import { formatShape, normalizeAxis, sizeOf, type Shape } from "../base/shape.ts";
import { arange, tensor as fromValues } from "../tensor/create.ts";
import { concat } from "../tensor/join.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { indexSelect } from "./indexing.ts";

/** Turns axes round: element i goes to i + shift, and what leaves one end comes in at the other. */
export function roll(x: Tensor, shifts: readonly number[], axes: readonly number[]): Tensor {
  if (shifts.length !== axes.length)
    throw new ShapeError(`roll: needs one shift an axis, got ${shifts.length} shifts and ${axes.length} axes`);
  return axes.reduce((t, axis, i) => {
    const a = normalizeAxis("roll", axis, t.ndim);
    const n = t.shape[a] ?? 0;
    const shift = n === 0 ? 0 : (((shifts[i] ?? 0) % n) + n) % n;
    if (shift === 0) return t;
    return concat([t.slice(a, n - shift), t.slice(a, 0, n - shift)], { axis: a });
  }, x);
}

/** The whole tensor, as often as said along each axis; more counts than axes add axes in front. */
export function tile(x: Tensor, counts: readonly number[]): Tensor {
  if (counts.length < x.ndim || counts.some((c) => !Number.isInteger(c) || c < 0))
    throw new ShapeError(
      `tile: needs a whole number for each axis of ${formatShape(x.shape)} at least, got ${formatShape(counts)}`,
    );
  const shape = [...new Array<number>(counts.length - x.ndim).fill(1), ...x.shape];
  return x
    .reshape(shape.flatMap((n) => [1, n]))
    .expand(shape.flatMap((n, i) => [counts[i] ?? 1, n]))
    .reshape(shape.map((n, i) => n * (counts[i] ?? 1)));
}

/** The slices of an axis, without it. */
export function unbind(x: Tensor, axis = 0): Tensor[] {
  const a = normalizeAxis("unbind", axis, x.ndim);
  return Array.from({ length: x.shape[a] ?? 0 }, (_, i) => x.slice(a, i, i + 1).squeeze(a));
}

/** Takes an axis out and puts it at `to`; the others keep their order. */
export function moveAxis(x: Tensor, from: number, to: number): Tensor {
  const a = normalizeAxis("moveAxis", from, x.ndim);
  const order = x.shape.map((_, i) => i).filter((i) => i !== a);
  order.splice(normalizeAxis("moveAxis", to, x.ndim), 0, a);
  return x.permute(order);
}

/** Differences of neighbours along an axis, `times` in a row: each takes one from its length. */
export function diff(x: Tensor, { times = 1, axis = -1 }: { times?: number; axis?: number } = {}): Tensor {
  if (!Number.isInteger(times) || times < 0)
    throw new ShapeError(`diff: times must be a whole number of at least 0, got ${times}`);
  let y = x;
  for (let i = 0; i < times; i++) y = y.slice(axis, 1).sub(y.slice(axis, 0, Math.max(0, (y.shape.at(axis) ?? 0) - 1)));
  return y;
}

/** Turns the plane of two axes by quarters, from the first towards the second. */
export function rot90(x: Tensor, quarters = 1, [first, second]: readonly [number, number] = [0, 1]): Tensor {
  const turns = ((quarters % 4) + 4) % 4;
  if (turns === 2) return x.flip(first).flip(second);
  const turned = x.transpose(first, second);
  return turns === 0 ? x : turned.flip(turns === 1 ? first : second);
}

/** Merges axes `start` to `end` (both included). */
export function flatten(x: Tensor, start = 0, end = -1): Tensor {
  if (x.ndim === 0) return x.reshape([1]);
  const a = normalizeAxis("flatten", start, x.ndim);
  const b = normalizeAxis("flatten", end, x.ndim);
  if (a > b) throw new ShapeError(`flatten: start must not come after end, got ${start} and ${end}`);
  return x.reshape([...x.shape.slice(0, a), sizeOf(x.shape.slice(a, b + 1)), ...x.shape.slice(b + 1)]);
}

/** Splits an axis into several; one size may be −1. */
export function unflatten(x: Tensor, axis: number, sizes: Shape): Tensor {
  const a = normalizeAxis("unflatten", axis, x.ndim);
  const known = sizes.reduce((n, s) => (s === -1 ? n : n * s), 1);
  const whole = sizes.map((s) => (s === -1 && known > 0 ? (x.shape[a] ?? 0) / known : s));
  return x.reshape([...x.shape.slice(0, a), ...whole, ...x.shape.slice(a + 1)]);
}

/** Each vector along an axis of its own, expanded to all; "xy" swaps the first two axes. */
export function meshgrid(vectors: readonly Tensor[], { indexing = "ij" }: { indexing?: "ij" | "xy" } = {}): Tensor[] {
  const sizes = vectors.map((v) => v.size);
  const swap = indexing === "xy" && vectors.length >= 2;
  return vectors.map((v, i) => {
    const grid = v.reshape(sizes.map((n, a) => (a === i ? n : 1))).expand(sizes);
    return swap ? grid.transpose(0, 1) : grid;
  });
}

/** `count` numbers from start to end, both included. */
export function linspace(start: number, end: number, count: number): Tensor {
  const step = count > 1 ? (end - start) / (count - 1) : 0;
  // from both ends, so that the last is exactly `end`
  const half = count / 2;
  return fromValues(
    Float32Array.from({ length: count }, (_, i) => (i < half ? start + i * step : end - (count - 1 - i) * step)),
  );
}

/** start, start + step, … before `end`. */
export function range(start: number, end: number, step = 1): Tensor {
  if (step === 0 || !Number.isFinite((end - start) / step))
    throw new ShapeError(`range: step must lead from start to end, got ${start}, ${end} and ${step}`);
  return fromValues(
    Float32Array.from({ length: Math.max(0, Math.ceil((end - start) / step)) }, (_, i) => start + i * step),
  );
}

/** Ones on the main diagonal. */
export function eye(rows: number, columns = rows): Tensor {
  return arange(columns, { dtype: "i32" })
    .eq(arange(rows, { dtype: "i32" }).unsqueeze(1))
    .cast("f32");
}

/** What lies behind an edge: a constant, the edge itself, a mirror image without the edge, or the other end. */
export type PadMode = "constant" | "replicate" | "reflect" | "circular";

/** Which element of an axis of n each padded position repeats. */
function sourceOf(i: number, n: number, mode: PadMode): number {
  if (mode === "replicate") return Math.min(n - 1, Math.max(0, i));
  if (mode === "circular") return ((i % n) + n) % n;
  const period = Math.max(1, 2 * (n - 1));
  const j = ((i % period) + period) % period;
  return j < n ? j : period - j;
}

/**
 * Adds [before, after] elements around each axis: a constant, the edge repeated, the inside mirrored (without the edge), or the other end.
 * Negative counts crop.
 *
 * @throws ShapeError when a mirror would be longer than the axis
 */
export function padWith(
  x: Tensor,
  pads: readonly (readonly [number, number])[],
  { mode = "constant", value = 0 }: { mode?: PadMode; value?: number } = {},
): Tensor {
  if (pads.length !== x.ndim || !pads.flat().every(Number.isInteger))
    throw new ShapeError(`padWith: needs [before, after] for each of ${x.ndim} axes, got ${JSON.stringify(pads)}`);
  const cropped = pads.reduce(
    (t, [before, after], a) => t.slice(a, Math.max(0, -before), Math.max(0, (x.shape[a] ?? 0) + Math.min(0, after))),
    x,
  );
  const grown = pads.map(([before, after]): [number, number] => [Math.max(0, before), Math.max(0, after)]);
  if (mode === "constant") return cropped.pad(grown, value);
  return grown.reduce((t, [before, after], a) => {
    const n = t.shape[a] ?? 0;
    if (before === 0 && after === 0) return t;
    if (
      n === 0 ||
      (mode === "reflect" && Math.max(before, after) >= n) ||
      (mode === "circular" && Math.max(before, after) > n)
    )
      throw new ShapeError(
        `padWith: ${mode} padding must be shorter than axis ${a} of ${n}, got [${before}, ${after}]`,
      );
    const ids = Int32Array.from({ length: n + before + after }, (_, i) => sourceOf(i - before, n, mode));
    return indexSelect(t, a, fromValues(ids));
  }, cropped);
}
