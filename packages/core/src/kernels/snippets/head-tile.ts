import { declareSums, gatherSums, leftLoads, multiplyTile, type Tile } from "./tile.ts";
import { range, XYZW } from "./uniforms.ts";

/**
 * Pieces of attention on the register tile. A lane owns four columns (queries, or keys in the gradient of k and v): softmax then
 * runs down registers, without a word between lanes. Operands `x` have uniforms `x_row` and a variable `x_base` in scope; `u.dim`
 * is the head's width, `u.part_rows` the features of a tile and `u.block_rows` its scores: equal to the text's, but unknown to
 * compilers that would unroll loops of a length they can bound.
 */
export interface HeadTile {
  /** Rows are the scores of a block of keys (or queries). */
  readonly scores: Tile;
  /** Rows are features of the result, a part of the head's width. */
  readonly features: Tile;
  /** Operands are arrays of vec4 and the head's width is a multiple of four. */
  readonly vector: boolean;
  /** Registers of a lane's own rows: the head's width, rounded up. */
  readonly depth: number;
}

const vec4 = (part: (i: number) => string) => `vec4<f32>(${range(4).map(part).join(", ")})`;

/** Four features from `d` of row `row`; zero past the head's width. */
function fourFeatures(head: HeadTile, operand: string, row: string, d: string): string {
  const at = `${operand}_base + ${row} * u.${operand}_row + ${d}`;
  if (head.vector) return `${operand}[(${at}) / 4u]`;
  return vec4((i) => `select(0.0, ${operand}[min(${at} + ${i}u, u.${operand}_last)], ${d} + ${i}u < u.dim)`);
}

/** Declares `{name}`: this lane's four rows of an operand, feature by feature. `row(i)` is the clamped row of column i. */
export function loadOwnRows(head: HeadTile, operand: string, name: string, row: (i: number) => string): string {
  return `  var ${name}: array<vec4<f32>, ${head.depth}>;
  for (var d = 0u; d < u.dim; d += 4u) {
${range(4)
  .map((i) => `    let own${i} = ${fourFeatures(head, operand, row(i), "d")};\n`)
  .join("")}${range(4)
    .map((j) => `    ${name}[d + ${j}u] = ${vec4((i) => `own${i}.${XYZW[j]}`)};\n`)
    .join("")}  }
`;
}

/** Declares `{sums}_{row}` = rows of `operand` from `first` times this lane's own rows: scores of a block. */
export function scoreBlock(
  head: HeadTile,
  sums: string,
  operand: string,
  own: string,
  first: string,
  last: string,
): string {
  const { scores } = head;
  return `${declareSums(scores, sums)}    for (var d = 0u; d < u.dim; d += 4u) {
${range(leftLoads(scores, "k"))
  .map(
    (q) =>
      `    let a${q} = ${fourFeatures(head, operand, `min(${first} + source + ${q * scores.share}u, ${last})`, "d")};\n`,
  )
  .join("")}${range(4)
    .map((j) => `    let b0_${j} = ${own}[d + ${j}u];\n`)
    .join("")}${multiplyTile(scores, "k", 4, sums)}    }
`;
}

/** `{sums}_{feature}` += Σ over `count` rows of `operand` from `first`, feature by feature, times `weights`[row, column]. */
export function addWeighted(
  head: HeadTile,
  sums: string,
  operand: string,
  weights: string,
  first: string,
  last: string,
  count: string,
): string {
  const { features } = head;
  const quads = Math.min(features.share, features.rows / 4);
  const loads = range(leftLoads(features, "m"));
  const feature = (q: number) => `min(feature0 + (source % ${quads}u + ${q * features.share}u) * 4u, u.dim_last)`;
  return `    for (var row = 0u; row < ${count}; row += 4u) {
${range(4)
  .flatMap((j) => [
    ...loads.map(
      (q) =>
        `    let a${q}_${j} = ${fourFeatures(head, operand, `min(${first} + row + ${j}u, ${last})`, feature(q))};\n`,
    ),
    `    let b0_${j} = ${weights}[row + ${j}u];\n`,
  ])
  .join("")}${multiplyTile(features, "m", 4, sums)}    }
`;
}

/** Stores `{sums}_{feature}` to `result`, a row of features a column; `at(i)` is the row's first element, `live(i)` whether it exists. */
export function storeFeatures(
  head: HeadTile,
  sums: string,
  result: string,
  factor: string,
  at: (i: number) => string,
  live: (i: number) => string,
): string {
  const columns = range(4).map((i) => {
    const from = `${at(i)} + d`;
    if (head.vector) return `    if (${live(i)}) { ${result}[(${from}) / 4u] = ${vec4((j) => `f${j}.${XYZW[i]}`)}; }\n`;
    return range(4)
      .map((j) => `    if (${live(i)} && d + ${j}u < u.dim) { ${result}[${from} + ${j}u] = f${j}.${XYZW[i]}; }\n`)
      .join("");
  });
  return `${gatherSums(head.features, sums, `${sums}_all`)}  for (var f = 0u; f < min(u.part_rows, u.dim - feature0); f += 4u) {
    let d = feature0 + f;
${range(4)
  .map((j) => `    let f${j} = ${sums}_all[f + ${j}u] * ${factor};\n`)
  .join("")}${columns.join("")}  }
`;
}
