import type { Epilogue } from "./epilogue.ts";
import { storedReader, type Stored } from "./snippets/stored.ts";
import {
  declareColumns,
  declareSums,
  declareVector,
  leftLoads,
  multiplyTile,
  storeTile,
  type Tile,
  tileEnables,
  tileEntry,
} from "./snippets/tile.ts";
import { binding, range, storage, XYZW } from "./snippets/uniforms.ts";

/** What changes the text of the register-tile matmul. */
export interface MatmulText extends Tile {
  /** Contiguous axis of A and of B. */
  readonly aUnit: "m" | "k";
  readonly bUnit: "k" | "n";
  /** Rows along the contiguous axis are aligned to four, and so are their lengths. */
  readonly aVector: boolean;
  readonly bVector: boolean;
  readonly cVector: boolean;
  /** How A and B are stored. */
  readonly aStored: Stored;
  readonly bStored: Stored;
  /** Columns are scaled, and a bias is added to them. */
  readonly scale: boolean;
  readonly bias: boolean;
  readonly epilogue: Epilogue | null;
  /** Tiles may reach past the matrix. */
  readonly edgeM: boolean;
  readonly edgeN: boolean;
  readonly edgeK: boolean;
  /** The grid may hold more workgroups than tiles. */
  readonly edgeGrid: boolean;
}

/**
 * C = A · B with rows × 4 · columns outputs a lane in registers. No barriers and no workgroup memory: the family for software
 * adapters, where a load costs several multiply-adds and a barrier hundreds, and with share = 1 the one that runs anywhere.
 */
export function matmulTileWgsl(text: MatmulText, declareUniforms: (binding: number) => string): string {
  const { share, rows, columns } = text;
  const clampRow = (row: string) => (text.edgeM ? `min(${row}, u.m - 1u)` : `(${row})`);
  const clampColumn = (column: string) => (text.edgeN ? `min(${column}, u.n - 1u)` : `(${column})`);
  const clampK = (k: string) => (text.edgeK ? `min(${k}, k_end - 1u)` : `(${k})`);
  const inK = (value: string, k: string, zero: string) =>
    text.edgeK ? `select(${zero}, ${value}, ${k} < k_end)` : value;
  const vec4 = (part: (i: number) => string) => `vec4<f32>(${range(4).map(part).join(", ")})`;
  const a = storedReader("a", text.aStored, text.aVector);
  const b = storedReader("b", text.bStored, text.bVector);
  const vectors = [...(text.scale ? ["scale"] : []), ...(text.bias ? ["bias"] : [])];
  const cBinding = 2 + vectors.length + (text.epilogue?.reads ?? 0);
  const out: string[] = [
    tileEnables(text),
    binding(0, "a", "read", a.type),
    binding(1, "b", "read", b.type),
    ...vectors.map((name, i) => storage(2 + i, name, "read", false)),
    storage(cBinding, "c", "read_write", text.cVector),
    declareUniforms(cBinding + 1),
    a.functions,
    b.functions === a.functions ? "" : b.functions,
    text.epilogue?.wgsl ?? "",
    tileEntry(text, text.edgeGrid ? "u.tiles" : null),
    `  let tile_n = tile_index % u.tiles_n;
  let tile_m = (tile_index / u.tiles_n) % u.tiles_m;
  let layer = tile_index / (u.tiles_n * u.tiles_m);
  let batch = layer / u.splits;
  let b0 = batch / u.batch1;
  let b1 = batch % u.batch1;
  let k_start = (layer % u.splits) * u.k_chunk;
  let k_end = min(k_start + u.k_chunk, u.k);
  let row0 = tile_m * ${rows}u;
  let a_base = u.a_offset + b0 * u.a_batch0 + b1 * u.a_batch1;
  let b_base = u.b_offset + b0 * u.b_batch0 + b1 * u.b_batch1;
`,
    declareColumns(text, "tile_n"),
    ...range(columns).map((x) => `  let col${x} = ${text.edgeN ? `min(n${x}, u.n_last)` : `n${x}`};\n`),
    ...range(leftLoads(text, text.aUnit)).map(declareLeft),
    declareSums(text),
    "  for (var k = k_start; k < k_end; k += 4u) {\n",
    ...range(columns).map(text.bUnit === "n" ? loadRightRows : loadRightColumns),
    ...range(leftLoads(text, text.aUnit)).map(text.aUnit === "k" ? loadLeftRows : loadLeftColumns),
    multiplyTile(text, text.aUnit),
    "  }\n",
    ...vectors.map((name) => declareVector(text, name, clampColumn)),
    storeTile(text, {
      rowsLeft: "u.m - row0",
      rowAt: (r) => `(layer * u.m + row0 + ${r}) * u.n`,
      columnLimit: text.edgeN ? "u.n" : null,
      vector: text.cVector,
      scale: text.scale,
      bias: text.bias,
      finish: text.epilogue !== null,
    }),
    "}\n",
  ];
  return out.join("");

  function declareLeft(q: number): string {
    if (text.aUnit === "k")
      return `  let a_at${q} = a_base + ${clampRow(`row0 + source + ${q * share}u`)} * u.a_stride;\n`;
    // More lanes than row quads: the surplus lanes repeat a quad.
    const row = `row0 + (source % ${Math.min(share, rows / 4)}u + ${q * share}u) * 4u`;
    return `  let a_row${q} = ${text.edgeM ? `min(${row}, u.m_last)` : row};\n`;
  }

  function loadLeftRows(q: number): string {
    if (text.aVector) return `    let a${q} = ${a.four(`a_at${q} + k`)};\n`;
    return `    let a${q} = ${vec4((j) => inK(a.one(`a_at${q} + ${clampK(`k + ${j}u`)}`), `k + ${j}u`, "0.0"))};\n`;
  }

  function loadLeftColumns(q: number): string {
    return range(4)
      .map((j) => {
        const at = `a_base + ${clampK(`k + ${j}u`)} * u.a_stride`;
        const value = text.aVector
          ? a.four(`${at} + a_row${q}`)
          : vec4((i) => a.one(`${at} + ${clampRow(`a_row${q} + ${i}u`)}`));
        return `    let a${q}_${j} = ${inK(value, `k + ${j}u`, "vec4<f32>()")};\n`;
      })
      .join("");
  }

  function loadRightRows(x: number): string {
    return range(4)
      .map((j) => {
        const at = `b_base + ${clampK(`k + ${j}u`)} * u.b_stride`;
        const value = text.bVector
          ? b.four(`${at} + col${x}`)
          : vec4((i) => b.one(`${at} + ${clampColumn(`col${x} + ${i}u`)}`));
        return `    let b${x}_${j} = ${inK(value, `k + ${j}u`, "vec4<f32>()")};\n`;
      })
      .join("");
  }

  function loadRightColumns(x: number): string {
    const columnsOf = range(4).map((i) => {
      const at = `b_base + ${clampColumn(`col${x} + ${i}u`)} * u.b_stride`;
      const value = text.bVector
        ? b.four(`${at} + k`)
        : vec4((j) => inK(b.one(`${at} + ${clampK(`k + ${j}u`)}`), `k + ${j}u`, "0.0"));
      return `    let t${x}_${i} = ${value};\n`;
    });
    const rowsOf = range(4).map((j) => `    let b${x}_${j} = ${vec4((i) => `t${x}_${i}.${XYZW[j]}`)};\n`);
    return [...columnsOf, ...rowsOf].join("");
  }
}
