import { range, XYZW } from "./uniforms.ts";

/** The lanes of a workgroup. */
export interface Lanes {
  readonly lanes: number;
  /** Lanes that load for one another, at most the smallest subgroup size; 1 where subgroups are missing. */
  readonly share: number;
}

/**
 * The register tile all matrix-like kernels of the software family share: the lanes of a workgroup lie side by side along
 * the columns, each with `columns` groups of four, and every lane makes all `rows` rows. A part of the left operand is
 * loaded by each of `share` lanes and spread with subgroupBroadcast.
 */
export interface Tile extends Lanes {
  /** Rows, a multiple of 4, or 1 where the left operand's rows are contiguous. */
  readonly rows: number;
  /** Groups of four columns a lane. */
  readonly columns: number;
}

/** Columns a workgroup makes. */
export const tileWidth = (tile: Tile): number => tile.lanes * tile.columns * 4;

/**
 * How the left operand lies in lanes. "k": `a{q}` of lane l holds four steps of row l + share·q. "m": `a{q}_{j}` of lane l holds
 * rows 4(l + share·q)..+3 of step j.
 */
export type LeftUnit = "k" | "m";

/** Registers of the left operand a lane loads for each step (unit "m") or for each four steps (unit "k"). */
export const leftLoads = (tile: Tile, unit: LeftUnit): number =>
  Math.ceil((unit === "k" ? tile.rows : tile.rows / 4) / tile.share);

/** The entry point's head; `tile_index`, `lane` and `source` (which part this lane loads) are in scope after it. */
export function tileEntry(tile: Lanes, gridLimit: string | null): string {
  const subgroups = tile.share > 1;
  return `@compute @workgroup_size(${tile.lanes})
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
        @builtin(local_invocation_index) lane: u32${subgroups ? ", @builtin(subgroup_invocation_id) sub: u32" : ""}) {
  let tile_index = wid.y * grid.x + wid.x;
${gridLimit === null ? "" : `  if (tile_index >= ${gridLimit}) { return; }\n`}  let source = ${subgroups ? `sub % ${tile.share}u` : "0u"};
`;
}

/** `enable` lines of a kernel that uses this tile. */
export const tileEnables = (tile: Lanes): string => (tile.share > 1 ? "enable subgroups;\n" : "");

/** The value that lane `lane` of the sharing lanes holds, in every lane. */
export const spread = (tile: Lanes, value: string, lane: number): string =>
  tile.share > 1 ? `subgroupBroadcast(${value}, ${lane}u)` : value;

/**
 * Declares the sums, `acc_{row · columns + group}`. Variables of their own, not an array: Mesa's compile time grows with the square
 * of the uses of a variable.
 */
export const declareSums = (tile: Tile): string =>
  range(tile.rows * tile.columns)
    .map((at) => `  var acc_${at} = vec4<f32>();\n`)
    .join("");

/** Copies the sums to a new array, to be indexed by a loop. */
const gatherSums = (tile: Tile, name: string): string =>
  `  var ${name}: array<vec4<f32>, ${tile.rows * tile.columns}>;\n` +
  range(tile.rows * tile.columns)
    .map((at) => `  ${name}[${at}] = acc_${at};\n`)
    .join("");

/** acc += left · right for `steps` (1 to 4) steps of k; the right operand is in `b{group}_{step}`. */
export function multiplyTile(tile: Tile, unit: LeftUnit, steps = 4): string {
  const { rows, columns, share } = tile;
  const lines: string[] = [];
  for (const r of range(rows)) {
    const quad = Math.floor(r / 4);
    const names = range(steps).map((j) => `w${r}_${j}`);
    if (unit === "k") {
      lines.push(`let w${r} = ${spread(tile, `a${Math.floor(r / share)}`, r % share)};`);
      names.forEach((name, j) => lines.push(`let ${name} = w${r}${steps === 1 ? "" : `.${XYZW[j]}`};`));
    } else {
      names.forEach((name, j) =>
        lines.push(`let ${name} = ${spread(tile, `a${Math.floor(quad / share)}_${j}.${XYZW[r % 4]}`, quad % share)};`),
      );
    }
    for (const x of range(columns)) {
      const at = `acc_${r * columns + x}`;
      lines.push(`${at} = ${names.reduce((sum, name, j) => `fma(vec4<f32>(${name}), b${x}_${j}, ${sum})`, at)};`);
    }
  }
  return lines.map((text) => `    ${text}\n`).join("");
}

/** How sums leave the tile. */
export interface TileStore {
  /** Rows that exist from the tile's first row on, an expression. */
  readonly rowsLeft: string;
  /** Element index of row `r` at column 0 of the matrix. */
  readonly rowAt: (r: string) => string;
  /** Condition on row `r`, if some rows inside the limit are not to be stored. */
  readonly rowIf?: (r: string) => string;
  /** Name of the first column of group x is `n{x}`; columns at or past this expression are not stored; null stores all. */
  readonly columnLimit: string | null;
  /** Vector stores: the row starts and the column limit are multiples of four. */
  readonly vector: boolean;
  /** Multiplies by `scale{x}`. */
  readonly scale?: boolean;
  /** Adds `bias{x}`. */
  readonly bias: boolean;
  /** Applies an epilogue's `finish`; vector stores only. */
  readonly finish?: boolean;
}

/**
 * Stores the sums to `c`. A loop, not one store a row: on software adapters a store is long code, and code is compile time. Its
 * length is the uniform `tile_rows`, equal to the tile's rows: Mesa would unroll a length it can bound (2.7 s a kernel, not 0.5 s).
 */
export function storeTile(tile: Tile, store: TileStore): string {
  const { columns } = tile;
  const lines = [`for (var r = 0u; r < min(u.tile_rows, ${store.rowsLeft}); r++) {`];
  lines.push(`  let c_at = ${store.rowAt("r")};`);
  if (store.rowIf) lines.push(`  if (${store.rowIf("r")}) {`);
  for (const x of range(columns)) {
    lines.push(
      `  let v${x} = sums[r * ${columns}u + ${x}u]${store.scale ? ` * scale${x}` : ""}${store.bias ? ` + bias${x}` : ""};`,
    );
    if (store.vector) {
      lines.push(
        `  ${store.columnLimit === null ? "" : `if (n${x} < ${store.columnLimit}) `}{ c[(c_at + n${x}) / 4u] = ${store.finish ? `finish(c_at + n${x}, v${x})` : `v${x}`}; }`,
      );
    } else {
      for (const i of range(4)) {
        const condition = store.columnLimit === null ? "" : `if (n${x} + ${i}u < ${store.columnLimit}) `;
        lines.push(`  ${condition}{ c[c_at + n${x} + ${i}u] = v${x}.${XYZW[i]}; }`);
      }
    }
  }
  if (store.rowIf) lines.push("  }");
  lines.push("}");
  return gatherSums(tile, "sums") + lines.map((text) => `  ${text}\n`).join("");
}

/** Declares `n{x}`, the first column of each group of this lane, from an expression of the tile's column number. */
export const declareColumns = (tile: Tile, tileColumn: string): string =>
  range(tile.columns)
    .map((x) => `  let n${x} = (${tileColumn} * ${tile.lanes * tile.columns}u + lane + ${tile.lanes * x}u) * 4u;\n`)
    .join("");

/** Declares `NAME{x}`, read from `name` with column indices clamped below `limit`. */
export const declareVector = (tile: Tile, name: string, index: (column: string) => string): string =>
  range(tile.columns)
    .map(
      (x) =>
        `  let ${name}${x} = vec4<f32>(${range(4)
          .map((i) => `${name}[${index(`n${x} + ${i}u`)}]`)
          .join(", ")});\n`,
    )
    .join("");
