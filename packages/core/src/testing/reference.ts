import type { Shape } from "../base/shape.ts";
import { broadcastShapes } from "../base/shape.ts";
import { at, build, sum, withAxis, type Nd } from "./nd.ts";

/** Float64 definitions that several tests share. */

/** f of corresponding elements, broadcast. */
export function zip(f: (...values: number[]) => number, ...inputs: readonly Nd[]): Nd {
  const shape = inputs.reduce<Shape>((s, x) => broadcastShapes("zip", s, x.shape), []);
  return build(shape, (index) => f(...inputs.map((x) => at(x, index))));
}

/** [..., m, k] · [..., k, n], leading axes broadcast. */
export function matmul(a: Nd, b: Nd): Nd {
  const [m = 0, k = 0] = a.shape.slice(-2);
  const n = b.shape.at(-1) ?? 0;
  const batch = broadcastShapes("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2));
  return build([...batch, m, n], (index) => {
    const lead = index.slice(0, -2);
    const [row = 0, column = 0] = index.slice(-2);
    return sum(k, (i) => at(a, [...lead, row, i]) * at(b, [...lead, i, column]));
  });
}

/** exp(x) / Σ exp(x) along the last axis. */
export function softmax(x: Nd): Nd {
  const axis = x.shape.length - 1;
  const n = x.shape[axis] ?? 0;
  const peaks = build(withAxis(x.shape, axis, 1), (index) =>
    Math.max(...Array.from({ length: n }, (_, i) => at(x, withAxis(index, axis, i)))),
  );
  const e = zip((value, peak) => Math.exp(value - peak), x, peaks);
  return build(x.shape, (index) => at(e, index) / sum(n, (i) => at(e, withAxis(index, axis, i))));
}

/** Error function by its Taylor series, good to 1e-9 for |x| ≤ 4. */
export function erf(x: number): number {
  let term = x;
  let total = x;
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}
