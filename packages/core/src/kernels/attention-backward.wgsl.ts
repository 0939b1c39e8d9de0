import { bind, bindAs, type Declare, openAttention } from "./attention-entry.ts";
import { type AttentionText, declareRows, maskScores, weight } from "./attention-scores.ts";
import { headWork } from "./snippets/head-work.ts";
import { range, storage } from "./snippets/uniforms.ts";

const STATS_LANES = 64;
export const STATS_ROWS = STATS_LANES;

/**
 * For each query the logarithm of its row's sum, and δ = Σ_d do · o, side by side: what both gradients need of the forward pass.
 * They share a buffer because the gradient of k and v would bind nine otherwise, one more than every device has. So do the ids of segments,
 * behind them.
 */
export function attentionStatsWgsl(vector: boolean, segments: boolean, declareUniforms: Declare): string {
  // term by term as the scores are summed: a query that looks at one key alone has a gradient of exactly zero
  const add = vector
    ? `let a = o[(o_at + d) / 4u]; let b = g[(g_at + d) / 4u];
    sum = fma(a.w, b.w, fma(a.z, b.z, fma(a.y, b.y, fma(a.x, b.x, sum))));`
    : "sum = fma(o[o_at + d], g[g_at + d], sum);";
  return `${storage(0, "o", "read", vector)}${storage(1, "g", "read", vector)}${storage(2, "lse", "read", false)}@group(0) @binding(3) var<storage, read_write> stats: array<vec2<u32>>;
${segments ? "@group(0) @binding(4) var<storage, read> ids: array<u32>;\n" : ""}${declareUniforms(segments ? 5 : 4)}
@compute @workgroup_size(${STATS_LANES})
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let row = (wid.y * grid.x + wid.x) * ${STATS_LANES}u + lane;
${segments ? "  if (row < u.ids) { stats[u.rows + row] = vec2<u32>(ids[row], 0u); }\n" : ""}  if (row >= u.rows) { return; }
  let query = row % u.queries;
  let head = row / u.queries % u.heads;
  let batch = row / (u.queries * u.heads);
  let o_at = ((batch * u.queries + query) * u.heads + head) * u.dim;
  let g_at = u.g_offset + batch * u.g_batch + head * u.g_head + query * u.g_row;
  var sum = 0.0;
  for (var d = 0u; d < u.dim; d += ${vector ? 4 : 1}u) { ${add} }
  stats[row] = bitcast<vec2<u32>>(vec2<f32>(lse[row], sum));
}
`;
}

const OPERANDS = {
  q: { name: "q", count: "u.queries" },
  k: { name: "k", count: "u.keys" },
  v: { name: "v", count: "u.keys" },
  g: { name: "g", count: "u.queries" },
} as const;

/** The ids of segments lie behind the rows of `stats`. */
const ID_AT = "stats[u.batch * u.heads * u.queries + i].x";

/** What both gradients bind but for their results. */
const bindings = (text: AttentionText): Declare[] => [
  bindAs("stats", "read", "vec2<u32>"),
  ...(text.mask === "none" ? [] : [bind("mask", "read", false)]),
];

/** dq = scale · Σ_keys p (do·v - δ) k; a lane owns queries and runs over keys. */
export function attentionQueryGradWgsl(text: AttentionText, declareUniforms: Declare): string {
  const columns = range(text.columns);
  const work = headWork(text);
  const { q, k, v, g } = OPERANDS;
  const sums = { name: "dq_sum", result: "dq", count: "u.queries" };
  return [
    openAttention(
      text,
      "query",
      ["q", "k", "v", "g"],
      [...bindings(text), bind("dq", "read_write", text.vector)],
      ID_AT,
      declareUniforms,
    ),
    declareRows(text, "query"),
    ...columns.map((c) => `  let stat${c} = bitcast<vec2<f32>>(stats[pair * u.queries + own${c}]);\n`),
    work.own(text, q),
    work.own(text, g),
    work.zero(text, sums),
    `  for (var row0 = rows_first; row0 < rows_end; row0 += ${text.rows}u) {\n`,
    work.round(text, k),
    work.round(text, v),
    work.dot(text, "qk", k, q),
    work.dot(text, "gv", v, g),
    maskScores(text, "query", "s", "qk"),
    ...range(text.rows).flatMap((r) =>
      columns.map((c) => {
        const p = weight(text, `s${r}_${c}`, `stat${c}.x`);
        return `    let ds${r}_${c} = ${p} * (gv${r}_${c} - stat${c}.y);\n`;
      }),
    ),
    work.add(text, sums, k, "ds"),
    "  }\n",
    work.store(text, sums, () => "scale"),
    "}\n",
  ].join("");
}

/** dv = Σ_queries p do and dk = scale · Σ_queries p (do·v - δ) q; a lane owns keys and runs over queries. */
export function attentionKeyValueGradWgsl(text: AttentionText, declareUniforms: Declare): string {
  const [rows, columns] = [range(text.rows), range(text.columns)];
  const work = headWork(text);
  const { q, k, v, g } = OPERANDS;
  const [dk, dv] = [
    { name: "dk_sum", result: "dk", count: "u.keys" },
    { name: "dv_sum", result: "dv", count: "u.keys" },
  ] as const;
  return [
    openAttention(
      text,
      "key",
      ["q", "k", "v", "g"],
      [...bindings(text), bind("dk", "read_write", text.vector), bind("dv", "read_write", text.vector)],
      ID_AT,
      declareUniforms,
    ),
    declareRows(text, "key"),
    work.own(text, k),
    work.own(text, v),
    work.zero(text, dk),
    work.zero(text, dv),
    `  for (var row0 = rows_first; row0 < rows_end; row0 += ${text.rows}u) {\n`,
    work.round(text, q),
    work.round(text, g),
    work.dot(text, "qk", q, k),
    work.dot(text, "gv", g, v),
    maskScores(text, "key", "s", "qk"),
    ...rows.flatMap((r) => [
      `    let stat${r} = bitcast<vec2<f32>>(stats[pair * u.queries + row${r}]);\n`,
      ...columns.map(
        (c) => `    let p${r}_${c} = ${weight(text, `s${r}_${c}`, `stat${r}.x`)};
    let ds${r}_${c} = p${r}_${c} * (gv${r}_${c} - stat${r}.y);
`,
      ),
    ]),
    work.add(text, dv, g, "p"),
    work.add(text, dk, q, "ds"),
    "  }\n",
    work.store(text, dk, () => "scale"),
    work.store(text, dv, () => "1.0"),
    "}\n",
  ].join("");
}
