import type { Binding, DeviceTraits, Launch, Program } from "./kernel.ts";
import { input, output, scratch, splitWorkgroups } from "./kernel.ts";
import type { MatmulSpec, Operand } from "./matmul-spec.ts";
import { isVector, unitAxis } from "./matmul-spec.ts";
import { matmulTileWgsl } from "./matmul-tile.wgsl.ts";
import { sumPartsLaunch } from "./sum-parts.wgsl.ts";
import { type Tile, tileWidth } from "./snippets/tile.ts";
import { uniformBlock } from "./snippets/uniforms.ts";

export type { Tile } from "./snippets/tile.ts";
export type { MatmulSpec, Operand } from "./matmul-spec.ts";

/**
 * C[b0, b1, m, n] = A · B (+ bias[n]) in f32, C contiguous.
 *
 * Inputs: 0 = A, 1 = B, 2 = bias when `spec.bias`. Output 0 = C. Every size is at least 1.
 */
export function matmulProgram(spec: MatmulSpec, traits: DeviceTraits): Program {
  const { m, n, k, batch } = spec;
  return tiledMatmul(spec, chooseTile(m, m * n * k * batch[0] * batch[1], traits), chooseSplits(spec, traits));
}

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

/** Parts of k summed apart, so that a small C over a long k still fills the machine. */
function chooseSplits(spec: MatmulSpec, traits: DeviceTraits): number {
  const tiles = Math.ceil(spec.m / 32) * Math.ceil(spec.n / 32) * spec.batch[0] * spec.batch[1];
  const wanted = traits.software ? 8 : 512;
  if (tiles >= wanted || spec.k < 512) return 1;
  return Math.min(Math.ceil(wanted / tiles), Math.floor(spec.k / 256));
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
  });
  const wgsl = matmulTileWgsl(
    {
      ...tile,
      aUnit,
      bUnit,
      aVector: isVector(spec.a, aUnit === "k" ? k : m, aUnit === "m"),
      bVector: isVector(spec.b, bUnit === "n" ? n : k, bUnit === "k"),
      cVector: n % 4 === 0,
      bias: bias && parts === 1,
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
    bindings: [input(0), input(1), ...(bias && parts === 1 ? [input(2)] : []), target],
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
    ...(bias ? { bias: input(2) } : {}),
  });
  return { launches: [first, sum], scratch: [size * parts * 4] };
}

const otherStride = (operand: Operand): number => (unitAxis(operand) === "col" ? operand.rowStride : operand.colStride);

const lastQuad = (extent: number): number => Math.floor((extent - 1) / 4) * 4;
