import type { QuadReader } from "./snippets/quads.ts";
import type { StoredReader } from "./snippets/stored.ts";
import { range, XYZW } from "./snippets/uniforms.ts";

/** What changes the text of a matrix times a vector. */
export interface MatvecText {
  readonly lanes: number;
  /** Lanes side by side along the result, four numbers each; a power of two that divides `lanes`. The others take other steps of k. */
  readonly quads: number;
  readonly matrix: QuadReader;
  /** Element k lies at `v_base + k * u.v_stride`; read four at a time where it may be. */
  readonly vector: StoredReader;
  readonly vectorQuads: boolean;
  readonly declare: string;
  /** Statements before anything is read; `outer` and `part` are in scope. */
  readonly begin: string;
  readonly edgeK: boolean;
  readonly scale: boolean;
  readonly bias: boolean;
  /** The result is a column of C, which one scale and one bias are for; else a row. */
  readonly oneColumn: boolean;
  readonly edgeGrid: boolean;
}

/**
 * y[r] = Σ_k M[r, k] · v[k] (· scale) (+ bias): a workgroup makes 4 · quads numbers. Its lanes run over k side by side and their sums meet in a
 * tree in workgroup memory: the same order every time.
 */
export function matvecWgsl(text: MatvecText): string {
  const { lanes, quads } = text;
  const slices = lanes / quads;
  const element = (j: number): string => {
    const k = `k + ${j}u`;
    const value = text.vector.one(`v_base + ${text.edgeK ? `min(${k}, u.k - 1u)` : `(${k})`} * u.v_stride`);
    return text.edgeK ? `select(0.0, ${value}, ${k} < u.k)` : value;
  };
  const factors = text.vectorQuads ? text.vector.four("v_base + k") : `vec4<f32>(${range(4).map(element).join(", ")})`;
  const epilogue = (i: number): string => {
    const at = text.oneColumn ? "0u" : `row + ${i}u`;
    return `total.${XYZW[i]}${text.scale ? ` * scale[${at}]` : ""}${text.bias ? ` + bias[${at}]` : ""}`;
  };
  return `${text.declare}${text.matrix.functions}
var<workgroup> sums: array<vec4<f32>, ${lanes}>;

@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let tile_index = wid.y * grid.x + wid.x;
${text.edgeGrid ? "  if (tile_index >= u.tiles) { return; }\n" : ""}  let tile = tile_index % u.tiles_n;
  let layer = tile_index / u.tiles_n;
  let outer = layer / u.splits;
  let part = layer % u.splits;
  let k_start = part * u.k_chunk;
  let k_end = min(k_start + u.k_chunk, u.k);
  let row = (tile * ${quads}u + lane % ${quads}u) * 4u;
${text.begin}${text.matrix.prepare("", "row")}  var sum = vec4<f32>();
  for (var k = k_start + lane / ${quads}u * 4u; k < k_end; k += ${slices * 4}u) {
    let quad = ${text.matrix.read("", "k")};
    sum += quad * (${factors});
  }
  sums[lane] = sum;
  for (var half = ${lanes / 2}u; half >= ${quads}u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { sums[lane] += sums[lane + half]; }
  }
  if (lane >= ${quads}u) { return; }
  let total = sums[lane];
  let at = layer * u.rows + row;
${range(4)
  .map((i) => `  if (row + ${i}u < u.rows) { c[at + ${i}u] = ${epilogue(i)}; }\n`)
  .join("")}}
`;
}
