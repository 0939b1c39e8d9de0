import { ShapeError } from "../base/errors.ts";
import { formatShape } from "../base/shape.ts";
import { tensor } from "../tensor/create.ts";
import { where, type Tensor } from "../tensor/tensor.ts";
import { indexSelect } from "./indexing.ts";
import { sampleLinear } from "./interpolate.ts";
import { gatherRows } from "./embedding.ts";

/**
 * Where `interpolate` finds a value between elements: at the nearest one (with PyTorch's rounding, or exactly), on a line, or on a
 * cubic through four.
 */
export type ResampleMode = "nearest" | "nearest-exact" | "linear" | "cubic";

/** The new size, and how it is reached. */
export interface ResampleOptions {
  /** One length an axis behind [B, C]. */
  readonly size?: readonly number[];
  /** Or one factor, for all axes or an axis each. */
  readonly scaleFactor?: number | readonly number[];
  /** "nearest" by default. */
  readonly mode?: ResampleMode;
  /** The corner elements' centres, rather than their outer edges, coincide. */
  readonly alignCorners?: boolean;
}

/** Weights of the four neighbours at a distance t behind the second. @see Keys 1981, with a = −0.75 */
function cubicWeights(t: number): number[] {
  const a = -0.75;
  const near = (x: number): number => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (x: number): number => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return [far(t + 1), near(t), near(1 - t), far(2 - t)];
}

function sampleCubic(x: Tensor, axis: number, positions: readonly number[]): Tensor {
  const n = x.shape[axis] ?? 0;
  const shape = x.shape.slice(axis).map((_, i) => (i === 0 ? positions.length : 1));
  return [0, 1, 2, 3]
    .map((k) => {
      const ids = Int32Array.from(positions, (p) => Math.min(n - 1, Math.max(0, Math.floor(p) - 1 + k)));
      const weights = Float32Array.from(positions, (p) => cubicWeights(p - Math.floor(p))[k] ?? 0);
      return indexSelect(x, axis, tensor(ids)).mul(tensor(weights, { shape }));
    })
    .reduce((a, b) => a.add(b));
}

/**
 * Resizes the axes behind [B, C], one after the other: nearest, linear (bilinear, trilinear) or cubic (bicubic).
 *
 * @throws ShapeError unless either sizes or factors are given
 * @see torch.nn.functional.interpolate
 */
export function interpolate(
  x: Tensor,
  { size, scaleFactor, mode = "nearest", alignCorners = false }: ResampleOptions,
): Tensor {
  const rank = x.ndim - 2;
  const factors =
    typeof scaleFactor === "number" ? new Array<number>(Math.max(0, rank)).fill(scaleFactor) : scaleFactor;
  const lengths = size ?? factors?.map((f, i) => Math.floor((x.shape[i + 2] ?? 0) * f));
  if (rank < 1 || lengths?.length !== rank || (size && scaleFactor !== undefined) || lengths.some((n) => n < 1))
    throw new ShapeError(
      `interpolate: needs a size of at least 1 or a factor for each axis behind [B, C], got ${formatShape(x.shape)} and ${JSON.stringify(size ?? scaleFactor)}`,
    );
  return lengths.reduce((t, m, i) => {
    const axis = i + 2;
    const n = t.shape[axis] ?? 0;
    if (n === m && !factors) return t;
    const ratio = factors ? 1 / (factors[i] ?? 1) : n / m;
    const all = Array.from({ length: m }, (_, k) => k);
    if (mode === "nearest" || mode === "nearest-exact") {
      const offset = mode === "nearest" ? 0 : 0.5;
      return indexSelect(
        t,
        axis,
        tensor(Int32Array.from(all, (k) => Math.min(n - 1, Math.floor((k + offset) * ratio)))),
      );
    }
    const positions = all.map((k) => (alignCorners ? (m > 1 ? (k * (n - 1)) / (m - 1) : 0) : (k + 0.5) * ratio - 0.5));
    return mode === "linear" ? sampleLinear(t, axis, positions) : sampleCubic(t, axis, positions);
  }, x);
}

/** How `gridSample` reads between pixels and outside of them. */
export interface GridSampleOptions {
  /** Between four pixels, or the nearest one; "bilinear" by default. */
  readonly mode?: "bilinear" | "nearest";
  /** What lies outside of the picture: zeros, its edge, or its mirror image. */
  readonly paddingMode?: "zeros" | "border" | "reflection";
  /** −1 and 1 are the centres of the corner pixels, rather than the borders. */
  readonly alignCorners?: boolean;
}

/** Mirrors coordinates into [low, high]. */
function reflected(c: Tensor, low: number, high: number): Tensor {
  if (high <= low) return c.mul(0);
  const span = high - low;
  const distance = c.sub(low).abs();
  const extra = distance.fmod(span);
  const flips = distance.truncDivide(span).detach();
  return where(flips.remainder(2).eq(0), extra.add(low), extra.neg().add(high));
}

/**
 * Samples a picture at points of its own: −1 and 1 are its borders (or, with `alignCorners`, the centres of its corner pixels).
 *
 * @param x [B, C, H, W]
 * @param grid [B, h, w, 2], (x, y) each
 * @returns [B, C, h, w]
 * @see Jaderberg et al. 2015, "Spatial Transformer Networks"
 */
export function gridSample(
  x: Tensor,
  grid: Tensor,
  { mode = "bilinear", paddingMode = "zeros", alignCorners = false }: GridSampleOptions = {},
): Tensor {
  const [batch = 0, channels = 0, height = 0, width = 0] = x.shape;
  const [gridBatch, rows = 0, columns = 0, two] = grid.shape;
  if (x.ndim !== 4 || grid.ndim !== 4 || gridBatch !== batch || two !== 2)
    throw new ShapeError(
      `gridSample: x [B, C, H, W] and grid [B, h, w, 2] must share B, got ${formatShape(x.shape)} and ${formatShape(grid.shape)}`,
    );
  const place = (k: number, n: number): Tensor => {
    const g = grid.slice(3, k, k + 1).reshape([batch, rows * columns]);
    const c = alignCorners
      ? g.add(1).mul((n - 1) / 2)
      : g
          .add(1)
          .mul(n / 2)
          .sub(0.5);
    if (paddingMode === "border") return c.clamp(0, n - 1);
    if (paddingMode !== "reflection") return c;
    return (alignCorners ? reflected(c, 0, n - 1) : reflected(c, -0.5, n - 0.5)).clamp(0, n - 1);
  };
  const [px, py] = [place(0, width), place(1, height)];
  const pixels = x.reshape([batch, channels, height * width]).permute([0, 2, 1]);
  /** Values at whole coordinates; zero outside. */
  const at = (cx: Tensor, cy: Tensor): Tensor => {
    const inside = cx
      .ge(0)
      .and(cx.le(width - 1))
      .and(cy.ge(0))
      .and(cy.le(height - 1));
    const ids = where(inside, cy.mul(width).add(cx), -1).cast("i32");
    return gatherRows(pixels, ids);
  };
  const toPicture = (y: Tensor): Tensor => y.permute([0, 2, 1]).reshape([batch, channels, rows, columns]);
  if (mode === "nearest") return toPicture(at(px.round().detach(), py.round().detach()));
  const [x0, y0] = [px.floor().detach(), py.floor().detach()];
  const [right, below] = [px.sub(x0), py.sub(y0)];
  const [left, above] = [right.neg().add(1), below.neg().add(1)];
  const corner = (dx: number, dy: number, weight: Tensor): Tensor =>
    at(x0.add(dx), y0.add(dy)).mul(weight.unsqueeze(2));
  return toPicture(
    corner(0, 0, left.mul(above))
      .add(corner(1, 0, right.mul(above)))
      .add(corner(0, 1, left.mul(below)))
      .add(corner(1, 1, right.mul(below))),
  );
}
