import { ShapeError, tensor } from "@omni/core";
import type { Tensor } from "@omni/core";

/** How a frame is cut into overlapping tiles, in latent cells. */
export interface Tiling {
  /** Edge of a tile. */
  readonly size: number;
  /**
   * Cells that neighbours share at least. In the outer third a tile's result is dropped, since it lacks what lies beyond the edge; in the
   * middle third the two are blended. Default: three eighths of the size.
   */
  readonly overlap?: number;
}

/** Something that takes a video chunk by chunk. */
export interface VideoStream {
  /** @param last nothing follows: what a next chunk would need is not kept */
  push(chunk: Tensor, last?: boolean): Promise<Tensor>;
  /** Gives the remembered features back. */
  dispose(): void;
}

/** A tile along one axis: [start, end) in latent cells, and its share in each of them. */
export interface TileSpan {
  readonly start: number;
  readonly end: number;
}

/**
 * Tiles of equal size that cover an axis, the last one moved back to end with it.
 *
 * @throws ShapeError unless 0 ≤ overlap < size
 */
export function tileSpans(length: number, { size, overlap = Math.floor((size * 3) / 8) }: Tiling): TileSpan[] {
  if (!Number.isInteger(size) || !Number.isInteger(overlap) || overlap < 0 || overlap >= size)
    throw new ShapeError(
      `tiling: size must be a whole number above the overlap, got size ${size} and overlap ${overlap}`,
    );
  if (length <= size) return [{ start: 0, end: length }];
  const count = Math.ceil((length - overlap) / (size - overlap));
  return Array.from({ length: count }, (_, i) => {
    const start = Math.min(i * (size - overlap), length - size);
    return { start, end: start + size };
  });
}

/**
 * The share of each tile in each element of the axis: it falls linearly in the middle third of an overlap, and all shares of an element sum
 * to 1.
 *
 * @param scale elements a latent cell
 * @returns a row of (end − start) · scale shares for each tile
 */
export function blendShares(spans: readonly TileSpan[], scale: number): Float64Array[] {
  const ramps = spans.map(({ start, end }, i) => {
    const before = (spans[i - 1]?.end ?? start) - start;
    const after = end - (spans[i + 1]?.start ?? end);
    const ramp = (distance: number, overlap: number): number =>
      overlap > 0 ? Math.min(1, Math.max(0, (3 * (distance + 0.5)) / (overlap * scale) - 1)) : 1;
    const length = (end - start) * scale;
    return Float64Array.from({ length }, (_, x) => Math.min(ramp(x, before), ramp(length - 1 - x, after)));
  });
  const total = new Float64Array((spans.at(-1)?.end ?? 0) * scale);
  spans.forEach(({ start }, i) =>
    ramps[i]?.forEach((share, x) => (total[start * scale + x] = (total[start * scale + x] ?? 0) + share)),
  );
  return ramps.map((ramp, i) => ramp.map((share, x) => share / (total[(spans[i]?.start ?? 0) * scale + x] ?? 1)));
}

/** The sum, realised; the earlier one's memory is given back. */
async function added(sum: Tensor | null, placed: Tensor): Promise<Tensor> {
  const more = await (sum ? sum.add(placed) : placed).realize();
  sum?.dispose();
  return more;
}

/** A tile of a frame. */
export interface Tile {
  readonly y: TileSpan;
  readonly x: TileSpan;
  /** Shares, [1, 1, 1, rows, 1] · [1, 1, 1, 1, columns]. */
  readonly shares: readonly [Tensor, Tensor];
}

/** Rows and columns of a frame, in latent cells. */
export type Cells = readonly [rows: number, columns: number];

/** Elements a latent cell has on the way in and on the way out. */
export interface TileScales {
  readonly from: number;
  readonly to: number;
}

/** The tiles of a frame. @param scale elements a latent cell on the way out */
export function cutTiles([rows, columns]: Cells, tiling: Tiling, scale: number): Tile[] {
  const along = (length: number, shape: (n: number) => number[]): { span: TileSpan; share: Tensor }[] => {
    const spans = tileSpans(length, tiling);
    return blendShares(spans, scale).flatMap((share, i) => {
      const span = spans[i];
      return span ? [{ span, share: tensor(Float32Array.from(share), { shape: shape(share.length) }) }] : [];
    });
  };
  const across = along(columns, (n) => [1, 1, 1, 1, n]);
  return along(rows, (n) => [1, 1, 1, n, 1]).flatMap((y) =>
    across.map((x) => ({ y: y.span, x: x.span, shares: [y.share, x.share] as const })),
  );
}

/** A tile's result, weighted and in its place in the frame. */
function placed(result: Tensor, { y, x, shares }: Tile, [rows, columns]: Cells, scale: number): Tensor {
  const around = (span: TileSpan, length: number): [number, number] => [
    span.start * scale,
    (length - span.end) * scale,
  ];
  return result
    .mul(shares[0])
    .mul(shares[1])
    .pad([[0, 0], [0, 0], [0, 0], around(y, rows), around(x, columns)]);
}

/**
 * Passes a tile of a chunk through its stream and adds the result to those of other tiles.
 *
 * @returns the sum, realised; the one before is disposed
 */
export async function addTile(
  sum: Tensor | null,
  chunk: Tensor,
  place: { tile: Tile; stream: VideoStream; cells: Cells; scales: TileScales; last: boolean },
): Promise<Tensor> {
  const { tile, stream, cells, scales, last } = place;
  const { from, to } = scales;
  // cut first: tiles of one size then share one plan, wherever they lie
  const piece = await chunk
    .slice(3, tile.y.start * from, tile.y.end * from)
    .slice(4, tile.x.start * from, tile.x.end * from)
    .realize();
  const result = await stream.push(piece, last);
  // a tile of the whole frame is the chunk itself
  if (piece !== chunk) piece.dispose();
  const more = await added(sum, placed(result, tile, cells, to));
  result.dispose();
  return more;
}

/**
 * Runs a stream tile by tile and blends the results: what one chunk needs of memory beside its result and the features remembered
 * is that of a tile. Not exact: tiles do not see beyond their edges.
 */
export class TiledStream implements VideoStream {
  readonly #open: () => VideoStream;
  readonly #tiling: Tiling;
  readonly #scales: TileScales;
  #tiles: readonly { readonly tile: Tile; readonly stream: VideoStream }[] = [];
  #cells: Cells = [0, 0];

  /** @param open a stream for one tile */
  constructor(open: () => VideoStream, tiling: Tiling, scales: TileScales) {
    this.#open = open;
    this.#tiling = tiling;
    this.#scales = scales;
  }

  /**
   * @param chunk as the stream takes it, [B, C, T, h, w]
   * @param last nothing follows: what a next chunk would need is not kept
   * @returns as the stream gives it, realised; the caller disposes it
   * @throws ShapeError when the frame's size is not that of the chunk before, or the stream refuses a tile
   */
  async push(chunk: Tensor, last = false): Promise<Tensor> {
    const scales = this.#scales;
    const [, , , height = 0, width = 0] = chunk.shape;
    const cells: Cells = [height / scales.from, width / scales.from];
    if (this.#tiles.length === 0) {
      this.#cells = cells;
      this.#tiles = cutTiles(cells, this.#tiling, scales.to).map((tile) => ({ tile, stream: this.#open() }));
    } else if (cells.join() !== this.#cells.join())
      throw new ShapeError(
        `tiling: frames must stay ${this.#cells[0] * scales.from}×${this.#cells[1] * scales.from}, got ${height}×${width}`,
      );
    await chunk.realize();
    let blended: Tensor | null = null;
    for (const { tile, stream } of this.#tiles)
      blended = await addTile(blended, chunk, { tile, stream, cells, scales, last });
    if (!blended) throw new ShapeError("tiling: a frame must not be empty");
    return blended;
  }

  dispose(): void {
    for (const { stream } of this.#tiles) stream.dispose();
    this.#tiles = [];
  }
}

/** How many tiles a frame has. */
export const tileCount = ([rows, columns]: Cells, tiling: Tiling): number =>
  tileSpans(rows, tiling).length * tileSpans(columns, tiling).length;
