import type { QuadReader } from "./snippets/quads.ts";
import { range, XYZW } from "./snippets/uniforms.ts";

/** The block of C a workgroup makes, and the part of it each lane holds in registers. */
export interface Block {
  readonly rows: number;
  readonly columns: number;
  /** 4 or 8, so that rows / laneRows and columns / laneColumns are multiples of eight (the permutation) and lanes divide rows + columns. */
  readonly laneRows: number;
  readonly laneColumns: number;
  /** Two stages of A and B, so that one is filled while the other is read: a barrier a stage less. */
  readonly double: boolean;
}

/** Steps of k a stage. */
export const DEPTH = 16;

/** Quads of k a stage: the uniform `k_quads`. */
const QUADS = DEPTH / 4;

/** How a result is cut into blocks, and k into parts. */
interface BlockGrid {
  /** Blocks of all layers and parts. */
  readonly tiles: number;
  readonly tilesM: number;
  readonly tilesN: number;
  readonly parts: number;
  /** Steps of k in a part. */
  readonly chunk: number;
}

/** The uniforms that `blocksWgsl` itself reads, besides k. */
export const gridFields = ({ tiles, tilesM, tilesN, parts, chunk }: BlockGrid): Readonly<Record<string, number>> => ({
  tiles,
  tiles_m: tilesM,
  tiles_n: tilesN,
  splits: parts,
  k_chunk: chunk,
  k_quads: QUADS,
});

export const blockLanes = ({ rows, columns, laneRows, laneColumns }: Block): number =>
  (rows / laneRows) * (columns / laneColumns);

/** Bytes of workgroup memory. */
export const blockBytes = ({ rows, columns, double }: Block): number => (rows + columns) * DEPTH * 4 * (double ? 2 : 1);

/** What changes the text of a product in blocks. */
export interface BlocksText extends Block {
  readonly a: QuadReader;
  readonly b: QuadReader;
  /** Bindings, the uniforms `u` and what the readers call. `c` is the result; `u` has `gridFields` and k. */
  readonly declare: string;
  /** Statements before anything is read; `outer` (the product of a batch or group) and `part` (of k) are in scope. */
  readonly begin: string;
  /** Rows and columns of C as expressions; null where blocks do not reach past them. */
  readonly rowLimit: string | null;
  readonly columnLimit: string | null;
  /** Element index of C's row `row`, an expression. */
  readonly rowAt: (row: string) => string;
  /** Rows of C start at multiples of four, and so does what is past the last column. */
  readonly vector: boolean;
  /** Applies an epilogue's `finish` before it stores; vector stores only. */
  readonly finish: boolean;
  /** Names of arrays by which columns are multiplied, or which are added to them; element indices of four columns from `column`. */
  readonly scale: boolean;
  readonly bias: boolean;
  readonly vectorAt: (column: string) => string;
  /** The grid may hold more workgroups than blocks. */
  readonly edgeGrid: boolean;
}

/**
 * C = A · B by blocks that a workgroup stages in its memory, sixteen steps of k at a time, while the next sixteen are on their way to registers.
 * Both operands are staged by k, so that a step is vectors of rows times vectors of columns however they were stored. Quads of a stage are
 * permuted (slot = quad ^ 2 · (k / 4)), so that neither writing by k nor reading by rows meets a memory bank twice. No subgroup operations.
 */
export function blocksWgsl(text: BlocksText): string {
  const { laneRows, laneColumns, double } = text;
  const lanes = blockLanes(text);
  const [quadsM, quadsN] = [text.rows / 4, text.columns / 4];
  const [teamsM, teamsN] = [text.rows / laneRows, text.columns / laneColumns];
  const stages = double ? 2 : 1;
  const [leftQuads, allQuads] = [quadsM * QUADS, (quadsM + quadsN) * QUADS];
  const loads = range(allQuads / lanes).map((q) => {
    const first = q * lanes;
    const from = first + lanes <= leftQuads ? "a" : first >= leftQuads ? "b" : "both";
    return { q, first, from } as const;
  });
  const groups = range(laneColumns / 4);
  const rowQuads = range(laneRows / 4);
  return `${text.declare}${text.a.functions}${text.b.functions}
var<workgroup> a_block: array<vec4<f32>, ${stages * DEPTH * quadsM}>;
var<workgroup> b_block: array<vec4<f32>, ${stages * DEPTH * quadsN}>;

${storeFunction()}
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let tile_index = wid.y * grid.x + wid.x;
${text.edgeGrid ? "  if (tile_index >= u.tiles) { return; }\n" : ""}  let tile_n = tile_index % u.tiles_n;
  let tile_m = (tile_index / u.tiles_n) % u.tiles_m;
  let layer = tile_index / (u.tiles_n * u.tiles_m);
  let outer = layer / u.splits;
  let part = layer % u.splits;
  let k_start = part * u.k_chunk;
  let k_end = min(k_start + u.k_chunk, u.k);
  let first_row = tile_m * ${text.rows}u;
  let first_column = tile_n * ${text.columns}u;
  let lane_m = lane / ${teamsN}u;
  let lane_n = lane % ${teamsN}u;
${text.begin}${loads.map(prepareLoad).join("")}${range(laneRows * groups.length)
    .map((at) => `  var acc_${at} = vec4<f32>();\n`)
    .join("")}${double ? "  var stage = 0u;\n" : ""}  var ahead = k_start;
  loop {
    let more = ahead < k_end;
    if (more) {
${loads.map(fetch).join("")}    }
    // not unrolled: a round is long enough, and code is compile time
    for (var quad = select(${QUADS}u, 0u, ahead > k_start); quad < u.k_quads; quad++) {
      let a_at = ${double ? `stage * ${DEPTH * quadsM}u + ` : ""}quad * ${4 * quadsM}u + (lane_m ^ (quad * 2u));
      let b_at = ${double ? `stage * ${DEPTH * quadsN}u + ` : ""}quad * ${4 * quadsN}u + (lane_n ^ (quad * 2u));
${range(4).map(multiplyStep).join("")}    }
    if (!more) { break; }
${double ? "    stage = 1u - stage;\n" : "    workgroupBarrier();\n"}${loads.map(keep).join("")}    workgroupBarrier();
    ahead += ${DEPTH}u;
  }
${groups.map(declareColumns).join("")}${range(laneRows).map(storeRow).join("")}}
`;

  /** Which quad of a stage a lane loads: `x_k`, its first step, and `x_slot`, its place in the block. */
  function prepareLoad({ q, first, from }: (typeof loads)[number]): string {
    const place = (name: "a" | "b", quads: number, reader: QuadReader, id: string, origin: string): string => {
      const [k, side] =
        reader.unit === "k" ? [`${id} % ${QUADS}u`, `${id} / ${QUADS}u`] : [`${id} / ${quads}u`, `${id} % ${quads}u`];
      return `  let ${name}_quad${q} = ${k};
  let ${name}_slot${q} = ${name}_quad${q} * ${4 * quads}u + ((${side}) ^ (${name}_quad${q} * 2u));
${reader.prepare(`${q}`, `${origin} + (${side}) * 4u`)}`;
    };
    const id = `(lane + ${first}u)`;
    const lines: string[] = [];
    if (from === "both") lines.push(`  let left${q} = ${id} < ${leftQuads}u;\n`);
    const left = from === "both" ? `min(${id}, ${leftQuads - 1}u)` : id;
    const right = from === "both" ? `(max(${id}, ${leftQuads}u) - ${leftQuads}u)` : `(lane + ${first - leftQuads}u)`;
    if (from !== "b") lines.push(place("a", quadsM, text.a, left, "first_row"));
    if (from !== "a") lines.push(place("b", quadsN, text.b, right, "first_column"));
    return `${lines.join("")}  var next${q}: mat4x4<f32>;\n`;
  }

  /** Reads a lane's quad of the stage at step `ahead`. */
  function fetch({ q, from }: (typeof loads)[number]): string {
    const take = (name: "a" | "b") => `next${q} = ${text[name].read(`${q}`, `ahead + ${name}_quad${q} * 4u`)};`;
    if (from !== "both") return `      ${take(from)}\n`;
    return `      if (left${q}) { ${take("a")} } else { ${take("b")} }\n`;
  }

  /** Writes it to workgroup memory. */
  function keep({ q, from }: (typeof loads)[number]): string {
    const put = (name: "a" | "b", quads: number) =>
      range(4)
        .map((j) => {
          const at = `${double ? `stage * ${DEPTH * quads}u + ` : ""}${name}_slot${q} + ${j * quads}u`;
          return `${name}_block[${at}] = next${q}[${j}];`;
        })
        .join(" ");
    if (from === "a") return `    ${put("a", quadsM)}\n`;
    if (from === "b") return `    ${put("b", quadsN)}\n`;
    return `    if (left${q}) { ${put("a", quadsM)} } else { ${put("b", quadsN)} }\n`;
  }

  function multiplyStep(j: number): string {
    const lines = [
      ...rowQuads.map((y) => `let a${y}_${j} = a_block[a_at + ${j * quadsM + y * teamsM}u];`),
      ...groups.map((x) => `let b${x}_${j} = b_block[b_at + ${j * quadsN + x * teamsN}u];`),
    ];
    for (const r of range(laneRows))
      for (const x of groups) {
        const acc = `acc_${r * groups.length + x}`;
        const left = `a${Math.floor(r / 4)}_${j}.${XYZW[r % 4]}`;
        lines.push(`${acc} = fma(vec4<f32>(${left}), b${x}_${j}, ${acc});`);
      }
    return lines.map((line) => `      ${line}\n`).join("");
  }

  function declareColumns(x: number): string {
    const lines = [`let column${x} = first_column + (lane_n + ${x * teamsN}u) * 4u;`];
    const limit = text.columnLimit;
    for (const name of [...(text.scale ? ["scale"] : []), ...(text.bias ? ["bias"] : [])]) {
      const each = range(4).map((i) => {
        const column = `column${x} + ${i}u`;
        return `${name}[${text.vectorAt(limit === null ? column : `min(${column}, ${limit} - 1u)`)}]`;
      });
      lines.push(`let ${name}${x} = vec4<f32>(${each.join(", ")});`);
    }
    return lines.map((line) => `  ${line}\n`).join("");
  }

  function storeRow(r: number): string {
    const row = `first_row + (lane_m + ${Math.floor(r / 4) * teamsM}u) * 4u + ${r % 4}u`;
    const stores = groups.map((x) => {
      const value = `acc_${r * groups.length + x}${text.scale ? ` * scale${x}` : ""}${text.bias ? ` + bias${x}` : ""}`;
      return `store(c_at, column${x}, ${value});`;
    });
    const guard = text.rowLimit === null ? "" : `if (${row} < ${text.rowLimit}) `;
    return `  ${guard}{ let c_at = ${text.rowAt(`(${row})`)}; ${stores.join(" ")} }\n`;
  }

  function storeFunction(): string {
    const limit = text.columnLimit;
    const body = text.vector
      ? `  ${limit === null ? "" : `if (column < ${limit}) `}{ c[(at + column) / 4u] = ${text.finish ? "finish(at + column, value)" : "value"}; }\n`
      : range(4)
          .map(
            (i) =>
              `  ${limit === null ? "" : `if (column + ${i}u < ${limit}) `}{ c[at + column + ${i}u] = value.${XYZW[i]}; }\n`,
          )
          .join("");
    return `fn store(at: u32, column: u32, value: vec4<f32>) {\n${body}}\n`;
  }
}
