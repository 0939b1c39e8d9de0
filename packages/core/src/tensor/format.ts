import { isFloat, type DType } from "../base/dtype.ts";
import { contiguousStrides, formatShape, sizeOf, type Shape } from "../base/shape.ts";

/** More elements than this are shortened to the first and last of each axis. */
const SHOWN = 1000;
const EDGE = 3;

/** All alike: whole numbers without a point, else four digits behind it, or with exponents where these would show nothing or too much. */
function numberFormat(values: ArrayLike<number>, dtype: DType): (value: number) => string {
  if (dtype === "bool") return (value) => (value ? "true" : "false");
  if (!isFloat(dtype)) return String;
  const finite = Array.from(values).filter(Number.isFinite);
  const largest = finite.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  const smallest = finite.reduce((m, v) => (v === 0 ? m : Math.min(m, Math.abs(v))), Infinity);
  if (finite.every(Number.isInteger) && largest < 1e7) return String;
  if (largest >= 1e7 || (smallest < 1e-4 && smallest !== Infinity)) return (value) => value.toExponential(4);
  return (value) => (Number.isFinite(value) ? value.toFixed(4) : String(value));
}

/** Which positions of an axis are shown; −1 stands for those left out. */
function shown(n: number, shorten: boolean): number[] {
  const all = Array.from({ length: n }, (_, i) => i);
  return shorten && n > 2 * EDGE + 1 ? [...all.slice(0, EDGE), -1, ...all.slice(-EDGE)] : all;
}

/** Values as nested brackets, a row a line, long axes shortened. */
export function formatValues(shape: Shape, data: ArrayLike<number>, dtype: DType): string {
  const size = sizeOf(shape);
  if (size === 0) return `[] of shape ${formatShape(shape)}`;
  const shorten = size > SHOWN;
  const strides = contiguousStrides(shape);
  const seen: number[] = [];
  const collect = (axis: number, offset: number): void => {
    if (axis === shape.length) seen.push(data[offset] ?? NaN);
    else
      for (const i of shown(shape[axis] ?? 0, shorten))
        if (i >= 0) collect(axis + 1, offset + i * (strides[axis] ?? 0));
  };
  collect(0, 0);
  const format = numberFormat(seen, dtype);
  const width = seen.reduce((w, v) => Math.max(w, format(v).length), 0);
  const write = (axis: number, offset: number): string => {
    if (axis === shape.length) return format(data[offset] ?? NaN).padStart(shape.length === 0 ? 0 : width);
    const parts = shown(shape[axis] ?? 0, shorten).map((i) =>
      i < 0 ? "…" : write(axis + 1, offset + i * (strides[axis] ?? 0)),
    );
    const last = axis === shape.length - 1;
    return `[${parts.join(last ? ", " : `,\n${"\n".repeat(Math.max(0, shape.length - axis - 2))}${" ".repeat(axis + 1)}`)}]`;
  };
  return write(0, 0);
}
