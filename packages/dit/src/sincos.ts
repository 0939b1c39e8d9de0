import { arange, concat, tensor } from "@omni/core";
import type { Tensor } from "@omni/core";

const BASE = 10_000;

/**
 * Sinusoidal embedding of positions: [sin(p ω), cos(p ω)] with ω_i = 10000^(−i / (dim / 2)).
 *
 * @param positions [N]
 * @returns [N, dim]
 */
function sincos1d(positions: Tensor, dim: number): Tensor {
  const half = dim / 2;
  const turns = tensor(Float32Array.from({ length: half }, (_, i) => BASE ** (-i / half) / (2 * Math.PI)));
  const turned = positions.unsqueeze(1).mul(turns);
  const angle = turned.sub(turned.add(0.5).floor()).mul(2 * Math.PI);
  return concat([angle.sin(), angle.cos()], { axis: 1 });
}

/** Rows × columns of a grid: x in the first half of the channels, y in the second; [rows, columns, dim]. */
function sincosGrid(ys: Tensor, xs: Tensor, dim: number): Tensor {
  const [rows, columns] = [ys.size, xs.size];
  const across = sincos1d(xs, dim / 2).unsqueeze(0);
  const down = sincos1d(ys, dim / 2).unsqueeze(1);
  const size = [rows, columns, dim / 2];
  return concat([across.expand(size), down.expand(size)], { axis: 2 });
}

/**
 * Table of position embeddings of a square of patches, x before y.
 *
 * @param options.step distance of neighbouring patches
 * @returns [edge², dim], lazy
 * @see diffusers' `get_2d_sincos_pos_embed`
 */
export function sincosTable2d(options: { readonly dim: number; readonly edge: number; readonly step: number }): Tensor {
  const { dim, edge, step } = options;
  const places = arange(edge).mul(step);
  return sincosGrid(places, places, dim).reshape([edge * edge, dim]);
}

/** Sizes of {@link sincosTable3d}. */
export interface SincosGrid {
  /** A multiple of 16: a quarter for time, the rest for space. */
  readonly dim: number;
  readonly frames: number;
  readonly rows: number;
  readonly columns: number;
  /** Distances of neighbouring frames and patches. Default 1. */
  readonly frameStep?: number;
  readonly patchStep?: number;
}

/**
 * Table of position embeddings of a video's patches: time, then x, then y.
 *
 * @returns [frames, rows · columns, dim], lazy
 * @see diffusers' `get_3d_sincos_pos_embed`
 */
export function sincosTable3d({ dim, frames, rows, columns, frameStep = 1, patchStep = 1 }: SincosGrid): Tensor {
  const spatialDim = (dim * 3) / 4;
  const places = (n: number, step: number): Tensor => arange(n).mul(step);
  const space = sincosGrid(places(rows, patchStep), places(columns, patchStep), spatialDim);
  const time = sincos1d(places(frames, frameStep), dim - spatialDim);
  const patches = rows * columns;
  return concat(
    [
      time.unsqueeze(1).expand([frames, patches, dim - spatialDim]),
      space.reshape([1, patches, spatialDim]).expand([frames, patches, spatialDim]),
    ],
    { axis: 2 },
  );
}
