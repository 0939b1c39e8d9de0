import { range, storage, XYZW } from "./snippets/uniforms.ts";

/** What changes the text of the subgroup matmul. */
export interface SubgroupTile {
  /** Lanes of a workgroup, side by side along n. */
  readonly lanes: number;
  /** Lanes that read A for one another, at most the smallest subgroup size; 1 where subgroups are missing. */
  readonly share: number;
  /** Rows of C a lane makes, a multiple of 4. */
  readonly rows: number;
  /** Groups of four columns a lane makes; a workgroup makes 4 · lanes · columns of them. */
  readonly columns: number;
  /** Contiguous axis of A and of B. */
  readonly aUnit: "m" | "k";
  readonly bUnit: "k" | "n";
  readonly aVector: boolean;
  readonly bVector: boolean;
  readonly cVector: boolean;
  readonly bias: boolean;
  /** Tiles may reach past the matrix. */
  readonly edgeM: boolean;
  readonly edgeN: boolean;
  readonly edgeK: boolean;
  /** The grid may hold more workgroups than tiles. */
  readonly edgeGrid: boolean;
}

/**
 * Rows of A are read once per subgroup, a part by each lane, and spread with `subgroupBroadcast`; each lane keeps rows × 4
 * outputs in registers. No barriers and no workgroup memory: the family for software adapters, where a load costs several
 * multiply-adds and a barrier hundreds.
 */
export function subgroupMatmulWgsl(tile: SubgroupTile, declareUniforms: (binding: number) => string): string {
  const { lanes, share, rows, columns } = tile;
  const subgroups = share > 1;
  const spread = (value: string, lane: number) => (subgroups ? `subgroupBroadcast(${value}, ${lane}u)` : value);
  const rowIndex = (text: string) => (tile.edgeM ? `min(${text}, u.m - 1u)` : `(${text})`);
  const kIndex = (text: string) => (tile.edgeK ? `min(${text}, k_end - 1u)` : `(${text})`);
  const inK = (value: string, k: string, zero: string) => (tile.edgeK ? `select(${zero}, ${value}, ${k} < k_end)` : value);
  const out: string[] = [];
  const line = (text: string) => out.push(text);

  if (subgroups) line("enable subgroups;");
  line(storage(0, "a", "read", tile.aVector) + storage(1, "b", "read", tile.bVector));
  if (tile.bias) line(storage(2, "bias", "read", false));
  const cBinding = tile.bias ? 3 : 2;
  line(storage(cBinding, "c", "read_write", tile.cVector) + declareUniforms(cBinding + 1));
  line(`@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
        @builtin(local_invocation_index) lane: u32${subgroups ? ", @builtin(subgroup_invocation_id) sub: u32" : ""}) {
  let tile = wid.y * grid.x + wid.x;`);
  if (tile.edgeGrid) line("  if (tile >= u.tiles) { return; }");
  line(`  let tile_n = tile % u.tiles_n;
  let tile_m = (tile / u.tiles_n) % u.tiles_m;
  let layer = tile / (u.tiles_n * u.tiles_m);
  let batch = layer / u.splits;
  let b0 = batch / u.batch1;
  let b1 = batch % u.batch1;
  let k_start = (layer % u.splits) * u.k_chunk;
  let k_end = min(k_start + u.k_chunk, u.k);
  let row0 = tile_m * ${rows}u;
  let source = ${subgroups ? `sub % ${share}u` : "0u"};
  let a_base = u.a_offset + b0 * u.a_batch0 + b1 * u.a_batch1;
  let b_base = u.b_offset + b0 * u.b_batch0 + b1 * u.b_batch1;`);
  for (const x of range(columns)) {
    line(`  let n${x} = (tile_n * ${lanes * columns}u + lane + ${lanes * x}u) * 4u;`);
    line(`  let col${x} = ${tile.edgeN ? `min(n${x}, u.n_last)` : `n${x}`};`);
  }

  // A: lanes hold rows (unit k) or row quads (unit m).
  const loadsA = tile.aUnit === "k" ? Math.ceil(rows / share) : Math.ceil(rows / 4 / share);
  for (const q of range(loadsA)) {
    if (tile.aUnit === "k") line(`  let a_at${q} = a_base + ${rowIndex(`row0 + source + ${q * share}u`)} * u.a_stride;`);
    else {
      const quads = Math.min(share, rows / 4);
      line(`  let a_row${q} = row0 + (source % ${quads}u + ${q * share}u) * 4u;`);
      line(`  let a_at${q} = a_base + ${tile.aVector ? rowIndexQuad(tile, `a_row${q}`) : `a_row${q}`};`);
    }
  }
  line(`  var acc: array<vec4<f32>, ${rows * columns}>;`);

  line("  for (var k = k_start; k < k_end; k += 4u) {");
  for (const x of range(columns)) emitLoadB(x);
  emitLoadA();
  for (const r of range(rows)) {
    const row = tile.aUnit === "k" ? spread(`a${Math.floor(r / share)}`, r % share) : spreadColumn(r);
    line(`    let w${r} = ${row};`);
    for (const x of range(columns)) {
      const sum = range(4).reduce((rest, j) => `fma(vec4<f32>(w${r}.${XYZW[j]}), b${x}_${j}, ${rest})`, `acc[${r * columns + x}]`);
      line(`    acc[${r * columns + x}] = ${sum};`);
    }
  }
  line("  }");
  emitStore();
  line("}");
  return out.join("\n") + "\n";

  function spreadColumn(r: number): string {
    const quad = Math.floor(r / 4);
    const parts = range(4).map((j) => spread(`a${Math.floor(quad / share)}_${j}.${XYZW[r % 4]}`, quad % share));
    return `vec4<f32>(${parts.join(", ")})`;
  }

  function emitLoadA(): void {
    for (const q of range(loadsA)) {
      if (tile.aUnit === "k") {
        if (tile.aVector) line(`    let a${q} = a[(a_at${q} + k) / 4u];`);
        else {
          const parts = range(4).map((j) => inK(`a[a_at${q} + ${kIndex(`k + ${j}u`)}]`, `k + ${j}u`, "0.0"));
          line(`    let a${q} = vec4<f32>(${parts.join(", ")});`);
        }
        continue;
      }
      for (const j of range(4)) {
        const at = `${kIndex(`k + ${j}u`)} * u.a_stride`;
        const value = tile.aVector
          ? `a[(a_at${q} + ${at}) / 4u]`
          : `vec4<f32>(${range(4).map((i) => `a[a_base + ${rowIndex(`a_row${q} + ${i}u`)} + ${at}]`).join(", ")})`;
        line(`    let a${q}_${j} = ${inK(value, `k + ${j}u`, "vec4<f32>()")};`);
      }
    }
  }

  function emitLoadB(x: number): void {
    if (tile.bUnit === "n") {
      for (const j of range(4)) {
        const at = `b_base + ${kIndex(`k + ${j}u`)} * u.b_stride`;
        const value = tile.bVector
          ? `b[(${at} + col${x}) / 4u]`
          : `vec4<f32>(${range(4).map((i) => `b[${at} + ${columnIndex(x, i)}]`).join(", ")})`;
        line(`    let b${x}_${j} = ${inK(value, `k + ${j}u`, "vec4<f32>()")};`);
      }
      return;
    }
    for (const i of range(4)) {
      const at = `b_base + ${columnIndex(x, i)} * u.b_stride`;
      if (tile.bVector) line(`    let t${x}_${i} = b[(${at} + k) / 4u];`);
      else {
        const parts = range(4).map((j) => inK(`b[${at} + ${kIndex(`k + ${j}u`)}]`, `k + ${j}u`, "0.0"));
        line(`    let t${x}_${i} = vec4<f32>(${parts.join(", ")});`);
      }
    }
    for (const j of range(4)) {
      line(`    let b${x}_${j} = vec4<f32>(${range(4).map((i) => `t${x}_${i}.${XYZW[j]}`).join(", ")});`);
    }
  }

  function columnIndex(x: number, i: number): string {
    return tile.edgeN ? `min(col${x} + ${i}u, u.n - 1u)` : `col${x} + ${i}u`;
  }

  // A loop, not one store a row: on software adapters a store is long code, and code is compile time.
  function emitStore(): void {
    for (const x of tile.bias ? range(columns) : []) {
      line(`  let bias${x} = vec4<f32>(${range(4).map((i) => `bias[${columnIndex(x, i)}]`).join(", ")});`);
    }
    line("  let c_row = layer * u.m + row0;");
    line(`  for (var r = 0u; r < ${tile.edgeM ? `min(${rows}u, u.m - row0)` : `${rows}u`}; r++) {`);
    for (const x of range(columns)) {
      line(`    let v${x} = acc[r * ${columns}u + ${x}u]${tile.bias ? ` + bias${x}` : ""};`);
      const at = `(c_row + r) * u.n + n${x}`;
      if (tile.cVector) line(`    ${tile.edgeN ? `if (n${x} < u.n) ` : ""}{ c[(${at}) / 4u] = v${x}; }`);
      else for (const i of range(4)) line(`    if (n${x} + ${i}u < u.n) { c[${at} + ${i}u] = v${x}.${XYZW[i]}; }`);
    }
    line("  }");
  }
}

function rowIndexQuad(tile: SubgroupTile, row: string): string {
  return tile.edgeM ? `min(${row}, u.m_last)` : row;
}
