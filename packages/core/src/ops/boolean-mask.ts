import { ShapeError } from "../base/errors.ts";
import { broadcastShapes, contiguousStrides, formatShape } from "../base/shape.ts";
import { arange } from "../tensor/create.ts";
import { stack } from "../tensor/join.ts";
import { full, realize, type Tensor, where } from "../tensor/tensor.ts";
import { cumsum } from "./cumulative.ts";
import { indexSelect } from "./indexing.ts";
import { searchSorted } from "./search.ts";

/** How many elements of a row-major bool tensor hold up to and with each, i32 [size]. */
const heldUpTo = (mask: Tensor): Tensor => cumsum(mask.cast("bool").cast("i32").reshape([mask.size]), 0);

/** Places in row-major order where a mask holds, i32 [count]; their number is read back. @internal */
export async function heldPlaces(mask: Tensor): Promise<Tensor> {
  if (mask.size === 0) return full([0], 0, "i32");
  const upTo = heldUpTo(mask);
  const last = upTo.slice(0, -1);
  await realize([upTo, last]);
  const count = await last.item();
  return searchSorted(upTo, arange(count, { dtype: "i32" }).add(1));
}

/**
 * The elements for which a mask holds, in row-major order: x[mask]. It runs what the mask depends on, as the result's size is its count; the
 * result itself is lazy, and gradients go to the elements that were taken.
 *
 * @param mask any dtype, zero for false; x and the mask broadcast
 * @returns [count], of x's dtype
 * @see torch.masked_select
 */
export async function maskedSelect(x: Tensor, mask: Tensor): Promise<Tensor> {
  const shape = broadcastShapes("maskedSelect", x.shape, mask.shape);
  const places = await heldPlaces(mask.expand(shape));
  const all = x.expand(shape);
  return indexSelect(all.reshape([all.size]), 0, places);
}

/**
 * Coordinates of the elements that are not zero, in row-major order; NaN is not zero. It runs what x depends on, as the result's size is
 * their count.
 *
 * @returns i32 [count, axes of x]
 */
export async function nonzero(x: Tensor): Promise<Tensor> {
  const places = await heldPlaces(x);
  if (x.ndim === 0) return places.unsqueeze(1).slice(1, 0, 0);
  const strides = contiguousStrides(x.shape);
  return stack(
    strides.map((stride, a) => places.truncDivide(Math.max(1, stride)).remainder(Math.max(1, x.shape[a] ?? 1))),
    { axis: 1 },
  );
}

/**
 * x with the elements for which a mask holds replaced by those of `source`, one after the other; a source that is too short gives zeros.
 *
 * @param mask any dtype, zero for false; broadcasts to x
 * @param source of x's dtype, any shape
 * @throws ShapeError when the mask does not broadcast to x
 * @see torch.Tensor.masked_scatter
 */
export function maskedScatter(x: Tensor, mask: Tensor, source: Tensor): Tensor {
  if (formatShape(broadcastShapes("maskedScatter", x.shape, mask.shape)) !== formatShape(x.shape))
    throw new ShapeError(
      `maskedScatter: mask must broadcast to ${formatShape(x.shape)}, got ${formatShape(mask.shape)}`,
    );
  if (x.size === 0) return x;
  const all = mask.expand(x.shape).cast("bool");
  // of the element before the first one held it would be −1, the last
  const ranks = heldUpTo(all).sub(1).clamp(0);
  const taken = indexSelect(source.reshape([source.size]), 0, ranks).reshape(x.shape);
  return where(all, taken, x);
}
