import { type Lanes, spread } from "./tile.ts";
import { range, XYZW } from "./uniforms.ts";

/**
 * Pieces of attention in registers. A lane owns `columns` neighbouring rows of one side (queries, or keys in the gradient of k and v) and runs
 * over the other side's rows, a few a round: softmax then runs down registers, without a word between lanes. The round is straight-line code, as long
 * as columns · rows · features; everything done once is a loop whose length is a uniform, or compilers would unroll it.
 *
 * In scope: for an operand `x` the uniform `x_row` and the variable `x_base`; `u.dim`, the head's width, and `u.own`, the `ownCount` of a lane;
 * `column0`, the lane's first row.
 */
export interface HeadTile extends Lanes {
  /** Rows of a lane's own, side by side. */
  readonly columns: number;
  /** Rows of the other side a round. */
  readonly rows: number;
  /** The head's width in fours, rounded up. */
  readonly quads: number;
  /** Operands are arrays of vec4 and the head's width is a multiple of four. */
  readonly vector: boolean;
}

/** Vectors of four features in a lane's own rows: number `quad · columns + column`. */
export const ownCount = (head: HeadTile): number => head.quads * head.columns;

/** Four features from `d` of row `row`; zero past the head's width. */
function fourFeatures(head: HeadTile, operand: string, row: string, d: string): string {
  const at = `${operand}_base + ${row} * u.${operand}_row + ${d}`;
  if (head.vector) return `${operand}[(${at}) / 4u]`;
  const each = range(4).map(
    (i) => `select(0.0, ${operand}[min(${at} + ${i}u, u.${operand}_last)], ${d} + ${i}u < u.dim)`,
  );
  return `vec4<f32>(${each.join(", ")})`;
}

/** Declares `{name}`: this lane's own rows of an operand, of which there are `count`. */
export function loadOwnRows(head: HeadTile, operand: string, name: string, count: string): string {
  return `  var ${name}: array<vec4<f32>, ${ownCount(head)}>;
  for (var i = 0u; i < u.own; i++) {
    let own_row = min(column0 + i % ${head.columns}u, ${count} - 1u);
    let own_d = i / ${head.columns}u * 4u;
    ${name}[i] = ${fourFeatures(head, operand, "own_row", "own_d")};
  }
`;
}

/** Declares this lane's part of a round's rows of `operand`, from `first` on; the lanes that share spread it. */
export function loadRound(head: HeadTile, operand: string, first: string, count: string): string {
  const { rows, quads, share } = head;
  return range(Math.ceil((rows * quads) / share))
    .map(
      (part) => `    let ${operand}_item${part} = source + ${part * share}u;
    let ${operand}_at${part} = min(${first} + ${operand}_item${part} % ${rows}u, ${count} - 1u);
    let ${operand}_d${part} = min(${operand}_item${part} / ${rows}u * 4u, u.dim_last);
    let ${operand}_part${part} = ${fourFeatures(head, operand, `${operand}_at${part}`, `${operand}_d${part}`)};
`,
    )
    .join("");
}

/** Four features of row `row` of a round. */
function roundValue(head: HeadTile, operand: string, row: number, quad: number): string {
  const item = quad * head.rows + row;
  return spread(head, `${operand}_part${Math.floor(item / head.share)}`, item % head.share);
}

/** Declares `{name}{row}_{column}`: products of a round's rows of `operand` with this lane's own rows `own`. */
export function dotRows(head: HeadTile, name: string, operand: string, own: string): string {
  const out: string[] = [];
  const at = (quad: number, row: number, column: number): string =>
    quad < 0 ? "0.0" : `${name}${row}_${column}${quad === head.quads - 1 ? "" : `_${quad}`}`;
  for (const quad of range(head.quads)) {
    for (const column of range(head.columns))
      out.push(`let ${name}_own${quad}_${column} = ${own}[${quad * head.columns + column}];`);
    for (const row of range(head.rows)) {
      const factor = `${name}_factor${quad}_${row}`;
      out.push(`let ${factor} = ${roundValue(head, operand, row, quad)};`);
      for (const column of range(head.columns)) {
        const sum = XYZW.reduce(
          (before, part) => `fma(${factor}.${part}, ${name}_own${quad}_${column}.${part}, ${before})`,
          at(quad - 1, row, column),
        );
        out.push(`let ${at(quad, row, column)} = ${sum};`);
      }
    }
  }
  return out.map((line) => `    ${line}\n`).join("");
}

/** Declares the sums of this lane's results, `{sums}_{i}`: variables, not an array, which compilers keep in memory. */
export const declareRowSums = (head: HeadTile, sums: string): string =>
  range(ownCount(head))
    .map((i) => `  var ${sums}_${i} = vec4<f32>();\n`)
    .join("");

/** sums = sums · `keep`{column} + Σ rows of a round of `operand` times `weights`{row}_{column}; without `keep` they are kept whole. */
export function addRows(head: HeadTile, sums: string, operand: string, weights: string, keep?: string): string {
  const out: string[] = [];
  for (const quad of range(head.quads)) {
    for (const row of range(head.rows))
      out.push(`let ${sums}_factor${quad}_${row} = ${roundValue(head, operand, row, quad)};`);
    for (const column of range(head.columns)) {
      const name = `${sums}_${quad * head.columns + column}`;
      const sum = range(head.rows).reduce(
        (before, row) => `fma(vec4<f32>(${weights}${row}_${column}), ${sums}_factor${quad}_${row}, ${before})`,
        keep === undefined ? name : `${name} * ${keep}${column}`,
      );
      out.push(`${name} = ${sum};`);
    }
  }
  return out.map((line) => `    ${line}\n`).join("");
}

/** Stores the sums times `factor(column)` to `result`, [batch, count, heads, dim] contiguous. */
export function storeRows(
  head: HeadTile,
  sums: string,
  result: string,
  count: string,
  factor: (column: number) => string,
): string {
  const store = head.vector
    ? `${result}[(to + d) / 4u] = value;`
    : range(4)
        .map((j) => `if (d + ${j}u < u.dim) { ${result}[to + d + ${j}u] = value.${XYZW[j]}; }`)
        .join("\n    ");
  return `  var ${sums}_all: array<vec4<f32>, ${ownCount(head)}>;
${range(ownCount(head))
  .map((i) => `  ${sums}_all[${i}] = ${sums}_${i} * ${factor(i % head.columns)};\n`)
  .join("")}  for (var i = 0u; i < u.own; i++) {
    let row = column0 + i % ${head.columns}u;
    if (row >= ${count}) { continue; }
    let to = ((batch * ${count} + row) * u.heads + head) * u.dim;
    let d = i / ${head.columns}u * 4u;
    let value = ${sums}_all[i];
    ${store}
  }
`;
}
