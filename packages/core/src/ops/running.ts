import { ShapeError } from "../base/errors.ts";
import { sizeOf } from "../base/shape.ts";
import { expectDType } from "../tensor/build.ts";
import { type Tensor, where } from "../tensor/tensor.ts";
import { rowsAlong } from "./along-axis.ts";
import { linearScan } from "./cumulative.ts";
import { defineOp } from "./define-op.ts";
import { gather } from "./indexing.ts";
import type { Ranked } from "./sort.ts";
import { wgslProgram } from "./wgsl-program.ts";

/** Where the largest, or smallest, element up to each of a row [outer, n] is; one invocation a row. */
const bestUpTo = defineOp({
  name: "runningExtremum",
  attrs: { smallest: 0 },
  infer: ([x]) => ({ shape: x?.shape ?? [], dtype: "i32" }),
  kernel: ([x], { smallest }) => {
    const [outer = 0, n = 0] = x?.shape ?? [];
    return wgslProgram({
      label: "running extremum",
      inputs: [{ name: "x", type: "f32" }],
      output: { name: "places", type: "i32" },
      sizes: { n },
      count: outer,
      functions: "fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }",
      // the last of equal ones; NaN wins from its place on
      body: /* wgsl */ `var best = x[g * n];
    var place = 0;
    for (var i = 0u; i < n; i++) {
      let value = x[g * n + i];
      if (is_nan(value) || (!is_nan(best) && value ${smallest === 1 ? "<=" : ">="} best)) { best = value; place = i32(i); }
      places[g * n + i] = place;
    }`,
    });
  },
});

function running(op: string, x: Tensor, axis: number, smallest: boolean): Ranked {
  expectDType(op, x.dtype, ["f32"]);
  if (x.ndim === 0) throw new ShapeError(`${op}: x must have an axis, got []`);
  const { rows, restore } = rowsAlong(op, x.detach(), axis);
  const indices = restore(
    sizeOf(rows.shape) === 0 ? rows.cast("i32") : bestUpTo([rows], { smallest: Number(smallest) }),
  );
  return { values: gather(x, axis, indices), indices };
}

/** The largest element up to each along an axis and where it is, the last of equal ones; NaN from the first one on. @see torch.cummax */
export const cummax = (x: Tensor, axis = -1): Ranked => running("cummax", x, axis, false);

/** The smallest element up to each along an axis and where it is. @see torch.cummin */
export const cummin = (x: Tensor, axis = -1): Ranked => running("cummin", x, axis, true);

/** log Σ exp of the elements up to each along an axis, without overflow. */
export function logCumSumExp(x: Tensor, axis = -1): Tensor {
  const top = cummax(x, axis).values.detach();
  // what was summed shrinks by e^(m_{t−1} − m_t) where the maximum rises; an infinite one would be taken from itself
  const shift = where(top.isFinite(), top, 0);
  const { rows, restore } = rowsAlong("logCumSumExp", shift, axis);
  const n = rows.shape[1] ?? 0;
  if (sizeOf(rows.shape) === 0) return x;
  const before = rows.slice(1, 0, n - 1).pad([
    [0, 0],
    [1, 0],
  ]);
  // the first has none before it, and its factor meets a sum of 0: it need only be finite
  const factors = restore(before.sub(rows).clamp(null, 0).exp());
  return linearScan(factors, x.sub(shift).exp(), axis).log().add(shift);
}
