import { declareIds, ownSegments, sameSegment } from "./attention-segments.ts";
import { addWeighted, type HeadTile, loadOwnRows, scoreBlock, storeFeatures } from "./snippets/head-tile.ts";
import { declareSums, gatherSums, tileEnables, tileEntry } from "./snippets/tile.ts";
import { range, storage, XYZW } from "./snippets/uniforms.ts";

/** How a mask is read: not at all, one value a key, one a query and key; or, causal, made from the positions. */
export type MaskKind = "none" | "key" | "full" | "causal";

/** Whether there is a buffer to read it from. */
export const readsMask = (kind: MaskKind): boolean => kind === "key" || kind === "full";

export interface AttentionText extends HeadTile {
  readonly mask: MaskKind;
  /** Ids of segments are compared. */
  readonly segments: boolean;
  readonly edgeGrid: boolean;
}

/** Whether some scores may be masked. */
const masks = (text: AttentionText): boolean => text.mask !== "none" || text.segments;

/** Scores at or below this are masked; -inf is no constant of WGSL, and differences of infinities are NaN. */
const MASKED = "-1e38";
const LOWEST = "-3e38";

/** The causal mask of a key and a query, one of them four neighbours of a lane. */
export const causalMask = (key: string, query: string): string =>
  `select(vec4<f32>(), vec4<f32>(${LOWEST}), ${key} > ${query})`;

/** Reads the mask of row `key` for this lane's four columns, given the addresses of each column at key 0. */
export function maskValue(kind: MaskKind, key: string): string {
  if (kind === "causal") return causalMask(`vec4<u32>(${key})`, "vec4<u32>(query_0, query_1, query_2, query_3)");
  if (kind === "key") return `vec4<f32>(mask[mask_at0 + ${key} * u.mask_key])`;
  return `vec4<f32>(${range(4)
    .map((i) => `mask[mask_at${i} + ${key} * u.mask_key]`)
    .join(", ")})`;
}

/** Scales the scores of a block, `{name}[r]` for r below `count`, adds the mask's value and bars keys of other segments than `row`'s. */
export function scaleScores(text: AttentionText, name: string, mask: string, row: string): string {
  if (!masks(text))
    return range(text.scores.rows)
      .map((r) => `    ${name}[${r}] *= scale;\n`)
      .join("");
  const score = `${name}[r] * scale${text.mask === "none" ? "" : ` + ${mask}`}`;
  const kept = text.segments ? `select(vec4<f32>(${LOWEST}), ${score}, ${sameSegment(row)})` : score;
  return `    for (var r = 0u; r < count; r++) { ${name}[r] = max(${kept}, vec4<f32>(${LOWEST})); }\n`;
}

/** Where a tile of queries starts. */
export const keysStart = (text: AttentionText): string => (text.segments ? "seen_first" : "0u");
/** Where it may stop: causal ones see no key behind their last query. */
export function keysEnd(text: AttentionText, tiles: string): string {
  const end = text.segments ? "seen_end" : "u.keys";
  return text.mask === "causal" ? `min(${end}, (tile_index % ${tiles} + 1u) * ${text.scores.lanes * 4}u)` : end;
}

/** exp(score - log), zero where the score is masked. */
export function weight(text: AttentionText, score: string, log: string): string {
  const p = `exp(${score} - ${log})`;
  return masks(text) ? `select(${p}, vec4<f32>(), ${score} <= vec4<f32>(${MASKED}))` : p;
}

/**
 * Flash attention without barriers: a workgroup takes 4 · lanes queries of one head and a part of the features, runs over the keys
 * in blocks and keeps a running maximum and sum for each query.
 */
export function attentionForwardWgsl(text: AttentionText, declareUniforms: (binding: number) => string): string {
  const rows = range(text.scores.rows);
  const hasMask = readsMask(text.mask);
  const names = ["q", "k", "v"];
  const idsBinding = hasMask ? 4 : 3;
  const outBinding = text.segments ? idsBinding + 1 : idsBinding;
  return [
    tileEnables(text.scores),
    ...names.map((name, index) => storage(index, name, "read", text.vector)),
    hasMask ? storage(3, "mask", "read", false) : "",
    text.segments
      ? `@group(0) @binding(${idsBinding}) var<storage, read> ids: array<u32>;\n${declareIds("ids[i]")}`
      : "",
    storage(outBinding, "o", "read_write", text.vector),
    storage(outBinding + 1, "lse", "read_write", false),
    declareUniforms(outBinding + 2),
    tileEntry(text.scores, text.edgeGrid ? "u.tiles" : null),
    `  let query0 = (tile_index % u.tiles_q) * ${text.scores.lanes * 4}u + lane * 4u;
  let part = (tile_index / u.tiles_q) % u.parts;
  let pair = tile_index / (u.tiles_q * u.parts);
  let head = pair % u.heads;
  let batch = pair / u.heads;
  let feature0 = part * ${text.features.rows}u;
  let scale = bitcast<f32>(u.scale);
`,
    ...names.map(
      (name) => `  let ${name}_base = u.${name}_offset + batch * u.${name}_batch + head * u.${name}_head;\n`,
    ),
    ...range(4).map((i) => `  let query_${i} = min(query0 + ${i}u, u.queries - 1u);\n`),
    ...range(hasMask ? (text.mask === "key" ? 1 : 4) : 0).map(
      (i) =>
        `  let mask_at${i} = u.mask_offset + batch * u.mask_batch + head * u.mask_head + query_${i} * u.mask_query;\n`,
    ),
    text.segments ? ownSegments("query", text.scores.lanes * 4, "u.tiles_q") : "",
    loadOwnRows(text, "q", "qt", (i) => `query_${i}`),
    declareSums(text.features, "o_sum"),
    `  var top = vec4<f32>(${LOWEST});
  var total = vec4<f32>();
  let keys_end = ${keysEnd(text, "u.tiles_q")};
  for (var key0 = ${keysStart(text)}; key0 < keys_end; key0 += ${text.scores.rows}u) {
    let count = min(u.block_rows, u.keys - key0);
`,
    scoreBlock(text, "s", "k", "qt", "key0", "u.keys - 1u"),
    gatherSums(text.scores, "s", "p"),
    scaleScores(text, "p", maskValue(text.mask, "(key0 + r)"), "key0 + r"),
    `    for (var r = count; r < u.block_rows; r++) { p[r] = vec4<f32>(${LOWEST}); }
    var peak = top;
${rows.map((r) => `    let s${r} = p[${r}];\n    peak = max(peak, s${r});\n`).join("")}    let shrink = exp(top - peak);
    top = peak;
    total *= shrink;
${rows.map((r) => `    let p${r} = ${weight(text, `s${r}`, "peak")};\n    p[${r}] = p${r};\n    total += p${r};\n`).join("")}`,
    ...range(text.features.rows).map((r) => `    o_sum_${r} *= shrink;\n`),
    addWeighted(text, "o_sum", "v", "p", "key0", "u.keys - 1u", "count"),
    `  }
  let factor = select(1.0 / total, vec4<f32>(), total == vec4<f32>());
`,
    storeFeatures(
      text,
      "o_sum",
      "o",
      "factor",
      (i) => `((batch * u.queries + query_${i}) * u.heads + head) * u.dim`,
      (i) => `query0 + ${i}u < u.queries`,
    ),
    "  let logs = select(top + log(total), vec4<f32>(), total == vec4<f32>());\n",
    ...range(4).map(
      (i) =>
        `  if (part == 0u && query0 + ${i}u < u.queries) { lse[pair * u.queries + query_${i}] = logs.${XYZW[i]}; }\n`,
    ),
    "}\n",
  ].join("");
}
