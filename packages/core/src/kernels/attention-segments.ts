import { range } from "./snippets/uniforms.ts";

/**
 * Segments of packed sequences in attention: a query sees the keys whose id equals its own. All ids, u32, follow one another: those of the
 * queries [batch, queries], then those of the keys [batch, keys].
 */

/** Which side a lane's four columns are; the other one is run over in blocks. */
export type Side = "query" | "key";

const firstOf = (side: Side): string =>
  side === "query" ? "batch * u.queries" : "u.batch * u.queries + batch * u.keys";
const countOf = (side: Side): string => (side === "query" ? "u.queries" : "u.keys");

/** `id_at(i)`: id `i` of all. */
export const declareIds = (element: string): string => `fn id_at(i: u32) -> u32 { return ${element}; }\n`;

/**
 * Declares `own_ids` of a lane's columns and, from `seen_first` to `seen_end`, the stretch of the other side that holds all ids within the
 * bounds of the tile's: its own sequences, of sequences in order. `columns` is the tile's width, `tiles` the tiles of a row.
 */
export function ownSegments(side: Side, columns: number, tiles: string): string {
  const other = side === "query" ? "key" : "query";
  return `  let own_at = ${firstOf(side)};
  let other_at = ${firstOf(other)};
  let own_ids = vec4<u32>(${range(4)
    .map((i) => `id_at(own_at + ${side}_${i})`)
    .join(", ")});
  let tile_first = (tile_index % ${tiles}) * ${columns}u;
  var own_low = 0xffffffffu;
  var own_high = 0u;
  for (var i = tile_first; i < min(tile_first + ${columns}u, ${countOf(side)}); i++) {
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

/** Whether each of the lane's columns is of the segment of row `row` of the other side. */
export const sameSegment = (row: string): string => `own_ids == vec4<u32>(id_at(other_at + ${row}))`;
