import { ShapeError } from "../base/errors.ts";
import { formatShape, normalizeAxis } from "../base/shape.ts";
import { tensor } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { embedding } from "./embedding.ts";

/**
 * Samples an axis at given positions, linearly between neighbours; positions outside are clamped.
 *
 * @param positions in elements of the axis
 * @throws ShapeError when the axis is empty
 */
export function sampleLinear(x: Tensor, axis: number, positions: readonly number[]): Tensor {
  const a = normalizeAxis("sampleLinear", axis, x.ndim);
  const n = x.shape[a] ?? 0;
  if (n === 0 && positions.length > 0)
    throw new ShapeError(`sampleLinear: the axis must not be empty, got axis ${a} of ${formatShape(x.shape)}`);
  const clamped = positions.map((p) => Math.min(n - 1, Math.max(0, p)));
  const low = Int32Array.from(clamped, (p) => Math.floor(p));
  const high = Int32Array.from(clamped, (p) => Math.min(n - 1, Math.floor(p) + 1));
  const order = [a, ...x.shape.map((_, i) => i).filter((i) => i !== a)];
  const rows = x.permute(order);
  const weight = tensor(
    Float32Array.from(clamped, (p) => p - Math.floor(p)),
    { shape: [positions.length, ...new Array<number>(x.ndim - 1).fill(1)] },
  );
  const from = embedding(rows, tensor(low));
  const to = embedding(rows, tensor(high));
  const back = new Array<number>(x.ndim).fill(0);
  order.forEach((axisFrom, axisTo) => (back[axisFrom] = axisTo));
  return from.add(to.sub(from).mul(weight)).permute(back);
}

/** Linear interpolation of an axis to a new length, cell centres aligned (PyTorch's `align_corners=False`). */
export function interpolateLinear(x: Tensor, axis: number, length: number): Tensor {
  const n = x.shape[normalizeAxis("interpolateLinear", axis, x.ndim)] ?? 0;
  return sampleLinear(
    x,
    axis,
    Array.from({ length }, (_, i) => ((i + 0.5) * n) / length - 0.5),
  );
}
