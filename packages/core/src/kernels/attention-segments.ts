import { range } from "./snippets/uniforms.ts";

/**
 * Segments of packed sequences in attention: a query sees the keys whose id equals its own. All ids, u32, follow one another: those of the
 * queries [batch, queries], then those of the keys [batch, keys].
 */

/** Which side a lane's own rows are; the other one is run over. */
export type Side = "query" | "key";

const firstOf = (side: Side): string =>
  side === "query" ? "batch * u.queries" : "u.batch * u.queries + batch * u.keys";

/** Rows of a side, a uniform. */
export const countOf = (side: Side): string => (side === "query" ? "u.queries" : "u.keys");
export const otherSide = (side: Side): Side => (side === "query" ? "key" : "query");

/** `id_at(i)`: id `i` of all. */
export const declareIds = (element: string): string => `fn id_at(i: u32) -> u32 { return ${element}; }\n`;

/**
 * Declares `own_id{column}` of a lane's rows `own{column}` and, from `seen_first` to `seen_end`, the stretch of the other side that holds all ids
 * within the bounds of the tile's: its own sequences, of sequences in order. `width` is the tile's rows, `tile_first` its first.
 */
export function ownSegments(side: Side, columns: number, width: number): string {
  const other = otherSide(side);
  return `  let own_at = ${firstOf(side)};
  let other_at = ${firstOf(other)};
${range(columns)
  .map((i) => `  let own_id${i} = id_at(own_at + own${i});\n`)
  .join("")}  var own_low = 0xffffffffu;
  var own_high = 0u;
  for (var i = tile_first; i < min(tile_first + ${width}u, ${countOf(side)}); i++) {
    let id = id_at(own_at + i);
    own_low = min(own_low, id);
    own_high = max(own_high, id);
  }
  var seen_first = ${countOf(other)};
  var seen_end = 0u;
  for (var i = 0u; i < ${countOf(other)}; i++) {
    let id = id_at(other_at + i);
    if (id >= own_low && id <= own_high) {
      seen_first = min(seen_first, i);
      seen_end = i + 1u;
    }
  }
`;
}
