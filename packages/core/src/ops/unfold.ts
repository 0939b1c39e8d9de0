import { grad } from "../autograd/grad.ts";
import { ShapeError } from "../base/errors.ts";
import { formatShape } from "../base/shape.ts";
import { tensor } from "../tensor/create.ts";
import { stack } from "../tensor/join.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** One number for both axes, or [vertical, horizontal]. */
export type Pair = number | readonly [number, number];

/** How a kernel moves over a picture. */
export interface UnfoldOptions {
  /** Elements from one patch to the next; 1 by default. */
  readonly stride?: Pair;
  /** Zeros on each side; 0 by default. */
  readonly padding?: Pair;
  /** Distance between a patch's elements; 1 by default. */
  readonly dilation?: Pair;
}

const pair = (value: Pair | undefined, otherwise: number): readonly [number, number] =>
  typeof value === "number" ? [value, value] : (value ?? [otherwise, otherwise]);

/**
 * The patches that a convolution would see: [B, C, H, W] → [B, C·kh·kw, L], L = positions in row-major order.
 *
 * @throws ShapeError when the kernel does not fit
 */
export function unfold(x: Tensor, kernel: Pair, options: UnfoldOptions = {}): Tensor {
  const [batch = 0, channels = 0, height = 0, width = 0] = x.shape;
  const [kh, kw] = pair(kernel, 1);
  const [sh, sw] = pair(options.stride, 1);
  const [ph, pw] = pair(options.padding, 0);
  const [dh, dw] = pair(options.dilation, 1);
  const rows = Math.floor((height + 2 * ph - dh * (kh - 1) - 1) / sh) + 1;
  const columns = Math.floor((width + 2 * pw - dw * (kw - 1) - 1) / sw) + 1;
  if (x.ndim !== 4 || rows < 1 || columns < 1)
    throw new ShapeError(`unfold: a kernel of ${kh}×${kw} must fit x [B, C, H, W], got ${formatShape(x.shape)}`);
  const padded = x.pad([
    [0, 0],
    [0, 0],
    [ph, ph],
    [pw, pw],
  ]);
  const patches = Array.from({ length: kh * kw }, (_, k) => {
    const [top, left] = [Math.floor(k / kw) * dh, (k % kw) * dw];
    return padded.slice(2, top, top + (rows - 1) * sh + 1, sh).slice(3, left, left + (columns - 1) * sw + 1, sw);
  });
  return stack(patches, { axis: 2 }).reshape([batch, channels * kh * kw, rows * columns]);
}

/**
 * Adds patches up where they came from: the transpose of `unfold`, and so its gradient.
 *
 * @param x [B, C·kh·kw, L]
 * @param size [H, W] of the result
 */
export function fold(x: Tensor, size: readonly [number, number], kernel: Pair, options: UnfoldOptions = {}): Tensor {
  const [kh, kw] = pair(kernel, 1);
  const [batch = 0, rows = 0] = x.shape;
  const channels = rows / (kh * kw);
  if (x.ndim !== 3 || !Number.isInteger(channels))
    throw new ShapeError(`fold: x must be [B, C·${kh * kw}, L], got ${formatShape(x.shape)}`);
  // never read: only where its elements go matters
  const image = tensor(new Float32Array(batch * channels * size[0] * size[1]), { shape: [batch, channels, ...size] });
  const patches = unfold(image, kernel, options);
  if (formatShape(patches.shape) !== formatShape(x.shape))
    throw new ShapeError(
      `fold: x must be ${formatShape(patches.shape)} for ${formatShape(size)}, got ${formatShape(x.shape)}`,
    );
  const [y] = grad(patches, [image], x);
  return y ?? image;
}

/** Channels into space: [B, C·r², H, W] → [B, C, H·r, W·r]. @see Shi et al. 2016 */
export function pixelShuffle(x: Tensor, r: number): Tensor {
  const [batch = 0, channels = 0, height = 0, width = 0] = x.shape;
  if (x.ndim !== 4 || channels % (r * r) !== 0)
    throw new ShapeError(`pixelShuffle: x must be [B, C·${r * r}, H, W], got ${formatShape(x.shape)}`);
  const c = channels / (r * r);
  return x
    .reshape([batch, c, r, r, height, width])
    .permute([0, 1, 4, 2, 5, 3])
    .reshape([batch, c, height * r, width * r]);
}

/** Space into channels: [B, C, H·r, W·r] → [B, C·r², H, W]. */
export function pixelUnshuffle(x: Tensor, r: number): Tensor {
  const [batch = 0, c = 0, height = 0, width = 0] = x.shape;
  if (x.ndim !== 4 || height % r !== 0 || width % r !== 0)
    throw new ShapeError(
      `pixelUnshuffle: x must be [B, C, H, W] with sides divisible by ${r}, got ${formatShape(x.shape)}`,
    );
  return x
    .reshape([batch, c, height / r, r, width / r, r])
    .permute([0, 1, 3, 5, 2, 4])
    .reshape([batch, c * r * r, height / r, width / r]);
}
