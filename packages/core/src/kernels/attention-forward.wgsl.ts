import { bind, bindAs, type Declare, openAttention } from "./attention-entry.ts";
import { type AttentionText, declareRows, LOWEST, maskScores, weight } from "./attention-scores.ts";
import { headWork } from "./snippets/head-work.ts";
import { range } from "./snippets/uniforms.ts";

/**
 * Flash attention without barriers: a workgroup takes lanes · columns queries of one head, runs over the keys a few a round and keeps a running
 * maximum and sum for each query.
 */
export function attentionForwardWgsl(text: AttentionText, declareUniforms: Declare): string {
  const [rows, columns] = [range(text.rows), range(text.columns)];
  const lines = (of: (c: number) => string): string => columns.map((c) => `${of(c)}\n`).join("");
  const weights = (c: number): string[] => rows.map((r) => `p${r}_${c}`);
  const work = headWork(text);
  const [q, k, v] = [
    { name: "q", count: "u.queries" },
    { name: "k", count: "u.keys" },
    { name: "v", count: "u.keys" },
  ] as const;
  const sums = { name: "o_sum", result: "o", count: "u.queries" };
  return [
    openAttention(
      text,
      "query",
      ["q", "k", "v"],
      [
        ...(text.mask === "none" ? [] : [bind("mask", "read", false)]),
        ...(text.segments ? [bindAs("ids", "read", "u32")] : []),
        bind("o", "read_write", text.vector),
        bind("lse", "read_write", false),
      ],
      "ids[i]",
      declareUniforms,
    ),
    declareRows(text, "query"),
    work.own(text, q),
    work.zero(text, sums),
    lines((c) => `  var top${c} = ${LOWEST};\n  var total${c} = 0.0;`),
    `  for (var row0 = rows_first; row0 < rows_end; row0 += ${text.rows}u) {\n`,
    work.round(text, k),
    work.round(text, v),
    work.dot(text, "qk", k, q),
    maskScores(text, "query", "s", "qk"),
    lines(
      (c) => `    let peak${c} = ${rows.reduce((most, r) => `max(${most}, s${r}_${c})`, `top${c}`)};
    let shrink${c} = exp(top${c} - peak${c});
    top${c} = peak${c};
${rows.map((r) => `    let p${r}_${c} = ${weight(text, `s${r}_${c}`, `peak${c}`)};\n`).join("")}    total${c} = total${c} * shrink${c} + ${weights(c).join(" + ")};`,
    ),
    work.add(text, sums, v, "p", "shrink"),
    "  }\n",
    lines((c) => `  let factor${c} = select(1.0 / total${c}, 0.0, total${c} == 0.0);`),
    work.store(text, sums, (c) => `factor${c}`),
    lines(
      (c) => `  if (column0 + ${c}u < u.queries) {
    lse[pair * u.queries + own${c}] = select(top${c} + log(total${c}), 0.0, total${c} == 0.0);
  }`,
    ),
    "}\n",
  ].join("");
}
