import { type AttentionText, tileRows } from "./attention-scores.ts";
import { countOf, declareIds, type Side } from "./attention-segments.ts";
import { tileEnables, tileEntry } from "./snippets/tile.ts";
import { storage } from "./snippets/uniforms.ts";

/** Declares a storage binding at an index. */
export type Declare = (binding: number) => string;

/** A binding of operands or results. */
export const bind =
  (name: string, access: "read" | "read_write", vector: boolean): Declare =>
  (index) =>
    storage(index, name, access, vector);

/** A binding of elements that are no floats. */
export const bindAs =
  (name: string, access: "read" | "read_write", element: string): Declare =>
  (index) =>
    `@group(0) @binding(${index}) var<storage, ${access}> ${name}: array<${element}>;\n`;

/**
 * Opens a kernel whose workgroups each take a tile of one head's rows on one side: bindings in order, the uniforms behind them, the entry point, and
 * `head`, `batch`, `pair` (the two as one number), `tile_first`, `column0`, `scale` and each operand's `{name}_base`. `ids` is the expression of a
 * segment's id `i`.
 */
export function openAttention(
  text: AttentionText,
  side: Side,
  operands: readonly string[],
  bindings: readonly Declare[],
  ids: string,
  declareUniforms: Declare,
): string {
  const tiles = `((${countOf(side)} + ${tileRows(text) - 1}u) / ${tileRows(text)}u)`;
  return [
    tileEnables(text),
    ...operands.map((name, index) => storage(index, name, "read", text.vector)),
    ...bindings.map((declare, index) => declare(operands.length + index)),
    declareUniforms(operands.length + bindings.length),
    text.segments ? declareIds(ids) : "",
    tileEntry(text, text.edgeGrid ? "u.tiles" : null),
    `  let tiles_n = ${tiles};
  let tile_first = tile_index % tiles_n * ${tileRows(text)}u;
  let column0 = tile_first + lane * ${text.columns}u;
  let pair = tile_index / tiles_n;
  let head = pair % u.heads;
  let batch = pair / u.heads;
  let scale = bitcast<f32>(u.scale);
`,
    ...operands.map(
      (name) => `  let ${name}_base = u.${name}_offset + batch * u.${name}_batch + head * u.${name}_head;\n`,
    ),
  ].join("");
}
