import { countOf, otherSide, ownSegments, type Side } from "./attention-segments.ts";
import type { HeadTile } from "./snippets/head-tile.ts";
import { range } from "./snippets/uniforms.ts";

/** How a mask is read: not at all, one value a key, or one a query and key. */
export type MaskKind = "none" | "key" | "full";

/** What changes the text of the kernels of attention. */
export interface AttentionText extends HeadTile {
  readonly mask: MaskKind;
  /** Keys behind a query are masked. */
  readonly causal: boolean;
  /** Ids of segments are compared. */
  readonly segments: boolean;
  readonly edgeGrid: boolean;
}

/** Scores at or below this are masked; -inf is no constant of WGSL, and differences of infinities are NaN. */
const MASKED = "-1e38";
export const LOWEST = "-3e38";

/** Rows of a workgroup. */
export const tileRows = (head: HeadTile): number => head.lanes * head.columns;

/**
 * Declares a lane's own rows, `own{column}` held to those that exist, what of the mask depends on them alone, and the rows of the other side to
 * run over, from `rows_first` to `rows_end`.
 */
export function declareRows(text: AttentionText, side: Side): string {
  const columns = range(text.columns);
  const other = countOf(otherSide(side));
  const width = tileRows(text);
  const maskAt = (i: number): string =>
    `u.mask_offset + batch * u.mask_batch + head * u.mask_head + own${i} * u.mask_${side}`;
  const first = text.segments ? "seen_first" : "0u";
  const end = text.segments ? "seen_end" : other;
  return [
    ...columns.map((i) => `  let own${i} = min(column0 + ${i}u, ${countOf(side)} - 1u);\n`),
    text.mask === "none" ? "" : columns.map((i) => `  let mask_at${i} = ${maskAt(i)};\n`).join(""),
    text.mask === "key" && side === "key"
      ? columns.map((i) => `  let mask_own${i} = mask[mask_at${i}];\n`).join("")
      : "",
    text.segments ? ownSegments(side, text.columns, width) : "",
    // causal queries see no key behind the tile's last one, causal keys are seen by no query before the tile's first
    `  let rows_first = ${text.causal && side === "key" ? `max(${first}, tile_first)` : first};
  let rows_end = ${text.causal && side === "query" ? `min(${end}, tile_first + ${width}u)` : end};
`,
  ].join("");
}

/** Declares `{name}{row}_{column}`: the round's products `{products}{row}_{column}` scaled, with the mask added; LOWEST where masked. */
export function maskScores(text: AttentionText, side: Side, name: string, products: string): string {
  const out: string[] = [];
  for (const r of range(text.rows)) {
    const live = text.rows > 1 ? [`row0 + ${r}u < rows_end`] : [];
    out.push(`let row${r} = min(row0 + ${r}u, ${countOf(otherSide(side))} - 1u);`);
    if (text.segments) out.push(`let row_id${r} = id_at(other_at + row${r});`);
    if (text.mask === "key" && side === "query") out.push(`let mask_row${r} = mask[mask_at0 + row${r} * u.mask_key];`);
    for (const c of range(text.columns)) {
      const added = text.mask === "none" ? "" : ` + ${maskValue(text, side, r, c)}`;
      const conditions = [
        ...live,
        ...(text.causal ? [side === "query" ? `row${r} <= own${c}` : `own${c} <= row${r}`] : []),
        ...(text.segments ? [`row_id${r} == own_id${c}`] : []),
      ];
      const score = `${products}${r}_${c} * scale${added}`;
      const held = text.mask === "none" ? score : `max(${score}, ${LOWEST})`;
      const seen = conditions.map((condition) => `(${condition})`).join(" & ");
      out.push(`let ${name}${r}_${c} = ${seen === "" ? held : `select(${LOWEST}, ${held}, ${seen})`};`);
    }
  }
  return out.map((line) => `    ${line}\n`).join("");
}

function maskValue(text: AttentionText, side: Side, row: number, column: number): string {
  if (text.mask === "key") return side === "key" ? `mask_own${column}` : `mask_row${row}`;
  return `mask[mask_at${column} + row${row} * u.mask_${otherSide(side)}]`;
}

/** exp(score - log), zero where the score is masked. */
export function weight(text: AttentionText, score: string, log: string): string {
  const p = `exp(${score} - ${log})`;
  // without a mask each query sees a key, of a score so far above LOWEST that the exponential of what it does not see is zero by itself
  const blind = text.mask !== "none" || text.segments;
  return blind ? `select(${p}, 0.0, ${score} <= ${MASKED})` : p;
}
