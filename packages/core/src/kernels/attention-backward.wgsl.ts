import {
  type AttentionText,
  causalMask,
  keysEnd,
  keysStart,
  maskValue,
  readsMask,
  scaleScores,
  weight,
} from "./attention-forward.wgsl.ts";
import { declareIds, ownSegments } from "./attention-segments.ts";
import { addWeighted, loadOwnRows, scoreBlock, storeFeatures } from "./snippets/head-tile.ts";
import { declareSums, gatherSums, leftLoads, spread, tileEnables, tileEntry } from "./snippets/tile.ts";
import { range, storage } from "./snippets/uniforms.ts";

const STATS_LANES = 64;
export const STATS_ROWS = STATS_LANES;

/**
 * For each query the logarithm of its row's sum, and δ = Σ_d do · o, side by side: what both gradients need of the forward pass.
 * They share a buffer because the gradient of k and v would bind nine otherwise, one more than every device has. So do the ids of segments,
 * behind them.
 */
export function attentionStatsWgsl(
  vector: boolean,
  segments: boolean,
  declareUniforms: (binding: number) => string,
): string {
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

function entry(
  text: AttentionText,
  bindings: readonly string[],
  results: readonly string[],
  declareUniforms: (binding: number) => string,
): string {
  const hasMask = readsMask(text.mask);
  const stats = bindings.length;
  const first = stats + (hasMask ? 2 : 1);
  return [
    tileEnables(text.scores),
    ...bindings.map((name, index) => storage(index, name, "read", text.vector)),
    `@group(0) @binding(${stats}) var<storage, read> stats: array<vec2<u32>>;\n`,
    hasMask ? storage(stats + 1, "mask", "read", false) : "",
    ...results.map((name, index) => storage(first + index, name, "read_write", text.vector)),
    declareUniforms(first + results.length),
    text.segments ? declareIds("stats[u.batch * u.heads * u.queries + i].x") : "",
    tileEntry(text.scores, text.edgeGrid ? "u.tiles" : null),
    `  let column0 = (tile_index % u.tiles_n) * ${text.scores.lanes * 4}u + lane * 4u;
  let part = (tile_index / u.tiles_n) % u.parts;
  let pair = tile_index / (u.tiles_n * u.parts);
  let head = pair % u.heads;
  let batch = pair / u.heads;
  let feature0 = part * ${text.features.rows}u;
  let scale = bitcast<f32>(u.scale);
`,
    ...bindings.map(
      (name) => `  let ${name}_base = u.${name}_offset + batch * u.${name}_batch + head * u.${name}_head;\n`,
    ),
  ].join("");
}

/** dq = scale · Σ_keys p (do·v - δ) k; a lane owns four queries and runs over blocks of keys. */
export function attentionQueryGradWgsl(text: AttentionText, declareUniforms: (binding: number) => string): string {
  const hasMask = readsMask(text.mask);
  const rows = range(text.scores.rows);
  return [
    entry(text, ["q", "k", "v", "g"], ["dq"], declareUniforms),
    ...range(4).map(
      (i) =>
        `  let query_${i} = min(column0 + ${i}u, u.queries - 1u);\n  let stat_${i} = bitcast<vec2<f32>>(stats[pair * u.queries + query_${i}]);\n`,
    ),
    `  let logs = vec4<f32>(${range(4)
      .map((i) => `stat_${i}.x`)
      .join(", ")});
  let deltas = vec4<f32>(${range(4)
    .map((i) => `stat_${i}.y`)
    .join(", ")});
`,
    ...range(hasMask ? (text.mask === "key" ? 1 : 4) : 0).map(
      (i) =>
        `  let mask_at${i} = u.mask_offset + batch * u.mask_batch + head * u.mask_head + query_${i} * u.mask_query;\n`,
    ),
    text.segments ? ownSegments("query", text.scores.lanes * 4, "u.tiles_n") : "",
    loadOwnRows(text, "q", "qt", (i) => `query_${i}`),
    loadOwnRows(text, "g", "gt", (i) => `query_${i}`),
    declareSums(text.features, "dq_sum"),
    `  let keys_end = ${keysEnd(text, "u.tiles_n")};
  for (var key0 = ${keysStart(text)}; key0 < keys_end; key0 += ${text.scores.rows}u) {
    let count = min(u.block_rows, u.keys - key0);
`,
    scoreBlock(text, "s", "k", "qt", "key0", "u.keys - 1u"),
    scoreBlock(text, "t", "v", "gt", "key0", "u.keys - 1u"),
    gatherSums(text.scores, "s", "p"),
    scaleScores(text, "p", maskValue(text.mask, "(key0 + r)"), "key0 + r"),
    ...rows.map(
      (r) => `    let s${r} = p[${r}];\n    p[${r}] = ${weight(text, `s${r}`, "logs")} * (t_${r} - deltas);\n`,
    ),
    "    for (var r = count; r < u.block_rows; r++) { p[r] = vec4<f32>(); }\n",
    addWeighted(text, "dq_sum", "k", "p", "key0", "u.keys - 1u", "count"),
    "  }\n",
    storeFeatures(
      text,
      "dq_sum",
      "dq",
      "scale",
      (i) => `((batch * u.queries + query_${i}) * u.heads + head) * u.dim`,
      (i) => `column0 + ${i}u < u.queries`,
    ),
    "}\n",
  ].join("");
}

/** dv = Σ_queries p do and dk = scale · Σ_queries p (do·v - δ) q; a lane owns four keys and runs over blocks of queries. */
export function attentionKeyValueGradWgsl(text: AttentionText, declareUniforms: (binding: number) => string): string {
  const hasMask = readsMask(text.mask);
  const { scores } = text;
  const rows = range(scores.rows);
  const row = (r: number, part: "x" | "y") =>
    spread(scores, `stat${Math.floor(r / scores.share)}.${part}`, r % scores.share);
  const result = (name: string, factor: string) =>
    storeFeatures(
      text,
      `${name}_sum`,
      name,
      factor,
      (i) => `((batch * u.keys + key_${i}) * u.heads + head) * u.dim`,
      (i) => `column0 + ${i}u < u.keys`,
    );
  return [
    entry(text, ["q", "k", "v", "g"], ["dk", "dv"], declareUniforms),
    ...range(4).map((i) => `  let key_${i} = min(column0 + ${i}u, u.keys - 1u);\n`),
    ...range(hasMask ? 4 : 0).map(
      (i) => `  let mask_at${i} = u.mask_offset + batch * u.mask_batch + head * u.mask_head + key_${i} * u.mask_key;\n`,
    ),
    text.segments ? ownSegments("key", scores.lanes * 4, "u.tiles_n") : "",
    loadOwnRows(text, "k", "kt", (i) => `key_${i}`),
    loadOwnRows(text, "v", "vt", (i) => `key_${i}`),
    declareSums(text.features, "dk_sum"),
    declareSums(text.features, "dv_sum"),
    // causal keys are seen by no query before them
    `  let query_start = ${text.mask === "causal" ? `(tile_index % u.tiles_n) * ${scores.lanes * 4}u / ${scores.rows}u * ${scores.rows}u` : "0u"};
  let query_end = ${text.segments ? "seen_end" : "u.queries"};
  for (var query0 = ${text.segments ? "max(query_start, seen_first)" : "query_start"}; query0 < query_end; query0 += ${scores.rows}u) {
    let count = min(u.block_rows, u.queries - query0);
`,
    ...range(leftLoads(scores, "k")).map(
      (q) =>
        `    let stat${q} = bitcast<vec2<f32>>(stats[pair * u.queries + min(query0 + source + ${q * scores.share}u, u.queries - 1u)]);\n`,
    ),
    scoreBlock(text, "s", "q", "kt", "query0", "u.queries - 1u"),
    scoreBlock(text, "t", "g", "vt", "query0", "u.queries - 1u"),
    gatherSums(text.scores, "s", "p"),
    scaleScores(
      text,
      "p",
      text.mask === "causal"
        ? causalMask("vec4<u32>(key_0, key_1, key_2, key_3)", "vec4<u32>(query0 + r)")
        : `vec4<f32>(${range(4)
            .map((i) => `mask[mask_at${i} + (query0 + r) * u.mask_query]`)
            .join(", ")})`,
      "query0 + r",
    ),
    `    var ds: array<vec4<f32>, ${scores.rows}>;\n`,
    ...rows.map(
      (r) => `    let s${r} = p[${r}];
    let p${r} = ${weight(text, `s${r}`, row(r, "x"))};
    p[${r}] = p${r};
    ds[${r}] = p${r} * (t_${r} - ${row(r, "y")});
`,
    ),
    "    for (var r = count; r < u.block_rows; r++) { p[r] = vec4<f32>(); ds[r] = vec4<f32>(); }\n",
    addWeighted(text, "dv_sum", "g", "p", "query0", "u.queries - 1u", "count"),
    addWeighted(text, "dk_sum", "q", "ds", "query0", "u.queries - 1u", "count"),
    "  }\n",
    result("dk", "scale"),
    result("dv", "1.0"),
    "}\n",
  ].join("");
}
