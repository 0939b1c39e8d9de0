import type { Binding, DeviceTraits, Launch, Program } from "./kernel.ts";
import { input, output, scratch, splitWorkgroups } from "./kernel.ts";
import type { MatmulSpec, Operand } from "./matmul-spec.ts";
import { gpuMatmul, storesWhole } from "./matmul-blocks.ts";
import { isVector, unitAxis } from "./matmul-spec.ts";
import { matmulTileWgsl } from "./matmul-tile.wgsl.ts";
import { sumPartsLaunch } from "./sum-parts.wgsl.ts";
import { type Tile, tileWidth } from "./snippets/tile.ts";
import { range, uniformBlock } from "./snippets/uniforms.ts";
import { type Candidate, distinct, keyOf, tuned } from "./tuning.ts";

export type { Tile } from "./snippets/tile.ts";
export type { MatmulSpec, Operand } from "./matmul-spec.ts";

/**
 * C[b0, b1, m, n] = A · B (· scale[n]) (+ bias[n]) in f32, C contiguous. Operands are read as they are stored and widened in registers.
 *
 * Inputs: 0 = A, 1 = B, then scale when `spec.scale`, then bias when `spec.bias`, then what `spec.epilogue` reads. Output 0 = C. Every size is at least 1.
 */
export function matmulProgram(spec: MatmulSpec, traits: DeviceTraits): Program {
  if (!traits.software) return gpuMatmul(spec, traits);
  const { m, n, k, batch } = spec;
  const alone = m === 1 && unitAxis(spec.a) === "col";
  const tile = alone ? ROW_TILE : chooseTile(m, m * n * k * batch[0] * batch[1], traits);
  return tuned(keyOf("matmul", spec), candidatesOf(spec, tile, chooseSplits(spec), traits), traits);
}

/** Whether C's numbers are whole, and four neighbours at hand, where they are stored. */
export function canFinish(spec: MatmulSpec, traits: DeviceTraits): boolean {
  if (spec.n % 4 !== 0) return false;
  const { m, n, k, batch } = spec;
  return traits.software ? chooseSplits(spec) === 1 : m > 1 && storesWhole(m, n, k, batch[0] * batch[1], traits);
}

/** Other tiles at the chosen parts of k, and other parts at the chosen tile. */
function candidatesOf(spec: MatmulSpec, tile: Tile, splits: number, traits: DeviceTraits): Candidate[] {
  const candidate = (t: Tile, parts: number): Candidate => ({
    name: `${tileName(t)}/${parts}`,
    program: () => tiledMatmul(spec, t, parts),
  });
  const most = Math.max(1, Math.floor(spec.k / 256));
  return distinct([
    ...tilesAround(tile, spec.m, traits).map((t) => candidate(t, splits)),
    ...(spec.epilogue ? [] : [1, Math.ceil(splits / 2), 2 * splits]).map((parts) =>
      candidate(tile, Math.min(parts, most)),
    ),
  ]);
}

/** A row by itself shares nothing: 1.6 times as fast as four rows of which three are thrown away, 3.9 times on SwiftShader. */
const ROW_TILE: Tile = { lanes: 8, share: 1, rows: 1, columns: 1 };

/** Rows of a tile against its relative cost for each multiply-add, measured on lavapipe. */
const ROW_COSTS: readonly (readonly [rows: number, cost: number])[] = [
  [32, 3.5],
  [16, 4.4],
  [8, 6],
  [4, 9],
];

/** Multiply-adds below which a kernel's compilation costs more than its speed returns. */
const SMALL = 2 ** 21;

/** The tile of the register family for `m` rows in a product of `work` multiply-adds. */
export function chooseTile(m: number, work: number, traits: DeviceTraits): Tile {
  if (!traits.subgroups || traits.subgroupMinSize < 4) return { lanes: 8, share: 1, rows: 4, columns: 1 };
  const lanes = Math.min(traits.subgroupMinSize, 8);
  const most = work < SMALL ? 8 : lanes * 4;
  const costOf = ([rows, cost]: readonly [number, number]) => Math.ceil(m / rows) * rows * cost;
  const [rows] = ROW_COSTS.filter(([size]) => size <= most).reduce((best, next) =>
    costOf(next) < costOf(best) ? next : best,
  );
  return { lanes, share: lanes, rows, columns: 1 };
}

export const tileName = ({ lanes, rows, columns }: Tile): string => `${lanes}x${rows}x${columns}`;

/** The tile and what is worth timing beside it for `m` rows, as long as compilers bear. */
export function tilesAround(tile: Tile, m: number, traits: DeviceTraits): Tile[] {
  // software adapters run a lane after another: more of them share nothing more
  const wide = traits.subgroups ? Math.min(traits.subgroupMinSize, 32) : 32;
  const lanes = traits.software || wide <= tile.lanes ? [tile.lanes] : [tile.lanes, wide];
  const rows = tile.rows === 1 ? [1] : ROW_COSTS.map(([size]) => size).filter((size) => size < m * 2 || size === 4);
  const others = lanes.flatMap((n) =>
    rows.flatMap((r) => [1, 2].map((columns) => ({ lanes: n, share: tile.share > 1 ? n : 1, rows: r, columns }))),
  );
  // without sharing every lane loads all rows: taller tiles spill
  const most = tile.share > 1 ? 32 : 8;
  return [tile, ...others.filter((t) => t.rows * t.columns <= most)];
}

/** Parts of k summed apart, so that a small C over a long k still fills the machine. */
function chooseSplits(spec: MatmulSpec): number {
  const tiles = Math.ceil(spec.m / 32) * Math.ceil(spec.n / 32) * spec.batch[0] * spec.batch[1];
  if (tiles >= 8 || spec.k < 512) return 1;
  return Math.min(Math.ceil(8 / tiles), Math.floor(spec.k / 256));
}

/** The register family at a given tile: one launch, or two when k is split. */
export function tiledMatmul(spec: MatmulSpec, tile: Tile, splits: number): Program {
  const { m, n, k, batch } = spec;
  const columnsPerTile = tileWidth(tile);
  const tilesM = Math.ceil(m / tile.rows);
  const tilesN = Math.ceil(n / columnsPerTile);
  const kChunk = Math.ceil(k / splits / 4) * 4;
  const parts = Math.ceil(k / kChunk);
  const tiles = tilesM * tilesN * batch[0] * batch[1] * parts;
  const workgroups = splitWorkgroups(tiles);
  const bias = spec.bias === true;
  const scale = spec.scale === true;
  const { stored: aStored = "f32" } = spec.a;
  const { stored: bStored = "f32" } = spec.b;
  const aUnit = unitAxis(spec.a) === "col" ? "k" : "m";
  const bUnit = unitAxis(spec.b) === "col" ? "n" : "k";
  const block = uniformBlock({
    m,
    n,
    k,
    batch1: batch[1],
    a_offset: spec.a.offset,
    a_batch0: spec.a.batchStrides[0],
    a_batch1: spec.a.batchStrides[1],
    a_stride: otherStride(spec.a),
    b_offset: spec.b.offset,
    b_batch0: spec.b.batchStrides[0],
    b_batch1: spec.b.batchStrides[1],
    b_stride: otherStride(spec.b),
    tile_rows: tile.rows,
    tiles,
    tiles_m: tilesM,
    tiles_n: tilesN,
    splits: parts,
    k_chunk: kChunk,
    m_last: lastQuad(m),
    n_last: lastQuad(n),
    ...spec.epilogue?.fields,
  });
  const wgsl = matmulTileWgsl(
    {
      ...tile,
      aUnit,
      bUnit,
      aVector: isVector(spec.a, aUnit === "k" ? k : m, aUnit === "m"),
      bVector: isVector(spec.b, bUnit === "n" ? n : k, bUnit === "k"),
      cVector: n % 4 === 0,
      aStored,
      bStored,
      scale,
      bias: bias && parts === 1,
      epilogue: spec.epilogue ?? null,
      edgeM: m % tile.rows !== 0,
      edgeN: n % columnsPerTile !== 0,
      edgeK: k % 4 !== 0,
      edgeGrid: workgroups[1] > 1,
    },
    block.declare,
  );
  const target: Binding = parts === 1 ? output(0) : scratch(0, "read_write");
  const first: Launch = {
    label: "matmul",
    wgsl,
    bindings: [
      ...range(2 + (scale ? 1 : 0) + (bias && parts === 1 ? 1 : 0) + (spec.epilogue?.reads ?? 0)).map(input),
      target,
    ],
    uniforms: block.words,
    workgroups,
  };
  if (parts === 1) return { launches: [first], scratch: [] };
  const size = batch[0] * batch[1] * m * n;
  const sum = sumPartsLaunch({
    label: "matmul.sum",
    layers: batch[0] * batch[1],
    parts,
    size: m * n,
    width: n,
    source: scratch(0, "read"),
    target: output(0),
    ...(bias ? { bias: input(scale ? 3 : 2) } : {}),
  });
  return { launches: [first, sum], scratch: [size * parts * 4] };
}

const otherStride = (operand: Operand): number => (unitAxis(operand) === "col" ? operand.rowStride : operand.colStride);

const lastQuad = (extent: number): number => Math.floor((extent - 1) / 4) * 4;
