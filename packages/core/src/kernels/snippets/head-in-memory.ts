import { fourFeatures, type HeadTile, loadRound, resultRow, roundValue, type RowSums } from "./head-tile.ts";
import type { HeadWork } from "./head-work.ts";
import { range, XYZW } from "./uniforms.ts";

/** A loop over the head's features, four from `d` on in each pass. */
const eachFour = (lines: readonly string[]): string =>
  `    for (var d = 0u; d < u.dim; d += 4u) {\n${lines.map((line) => `      ${line}\n`).join("")}    }\n`;

/** A round's rows of four features, `factor{row}`. */
const roundRows = (head: HeadTile, operand: string): string[] =>
  range(head.rows).map((row) => `let factor${row} = ${roundValue(head, operand, row, 0)};`);

/** Four features of the result of each own row that exists become what `value` makes of them. */
function eachResult(head: HeadTile, sums: RowSums, value: (column: number, old: string) => string): string[] {
  const { result, count } = sums;
  return range(head.columns).flatMap((column) => {
    const store = head.vector
      ? [`${result}[at / 4u] = value;`]
      : range(4).map((j) => `if (d + ${j}u < u.dim) { ${result}[at + ${j}u] = value.${XYZW[j]}; }`);
    // past the end of the buffer a read gives one of its elements
    const four = range(4).map((j) => `${result}[at + ${j}u]`);
    const old = head.vector ? `${result}[at / 4u]` : `vec4<f32>(${four.join(", ")})`;
    return [
      `if (column0 + ${column}u < ${count}) {`,
      `  let at = ${resultRow(sums, `own${column}`)} + d;`,
      `  let value = ${value(column, old)};`,
      ...store.map((line) => `  ${line}`),
      "}",
    ];
  });
}

/**
 * A lane's own rows are read, and its sums read and written, where they lie: once a round of many rows, four features at a time in a loop. Kernels
 * are equally short for every width; in registers a head of 256 takes 2 to 4 s to compile, and runs no faster.
 */
export const IN_MEMORY: HeadWork = {
  own: () => "",
  zero: (head, sums) => eachFour(eachResult(head, sums, () => "vec4<f32>()")),
  round: () => "",

  dot(head, name, other, own) {
    const [rows, columns] = [range(head.rows), range(head.columns)];
    const products = rows.flatMap((row) =>
      columns.map((column) => {
        const sum = `${name}${row}_${column}`;
        return `${sum} = ${XYZW.reduce((before, part) => `fma(factor${row}.${part}, own_four${column}.${part}, ${before})`, sum)};`;
      }),
    );
    const owned = columns.map((c) => `let own_four${c} = ${fourFeatures(head, own.name, `own${c}`, "d")};`);
    return (
      rows.flatMap((row) => columns.map((column) => `    var ${name}${row}_${column} = 0.0;\n`)).join("") +
      eachFour([loadRound(head, other, "d + "), ...owned, ...roundRows(head, other.name), ...products])
    );
  },

  add: (head, sums, other, weights, keep) =>
    eachFour([
      loadRound(head, other, "d + "),
      ...roundRows(head, other.name),
      ...eachResult(head, sums, (column, old) =>
        range(head.rows).reduce(
          (before, row) => `fma(vec4<f32>(${weights}${row}_${column}), factor${row}, ${before})`,
          keep === undefined ? old : `${old} * ${keep}${column}`,
        ),
      ),
    ]),

  store: (head, sums, factor) => eachFour(eachResult(head, sums, (column, old) => `${old} * ${factor(column)}`)),
};
