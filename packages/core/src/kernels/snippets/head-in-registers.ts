import { fourFeatures, type HeadTile, loadRound, resultRow, roundValue } from "./head-tile.ts";
import type { HeadWork } from "./head-work.ts";
import { range, XYZW } from "./uniforms.ts";

/** Vectors of four features in a lane's own rows: number `quad · columns + column`. */
const ownCount = (head: HeadTile): number => head.quads * head.columns;

/**
 * A lane's own rows and sums in registers: the round is straight-line code, as long as columns · rows · features. Everything done once is a loop
 * whose length is a uniform, `u.own`, or compilers would unroll it.
 */
export const IN_REGISTERS: HeadWork = {
  own: (head, { name, count }) => `  var ${name}_own: array<vec4<f32>, ${ownCount(head)}>;
  for (var i = 0u; i < u.own; i++) {
    let own_row = min(column0 + i % ${head.columns}u, ${count} - 1u);
    let own_d = i / ${head.columns}u * 4u;
    ${name}_own[i] = ${fourFeatures(head, name, "own_row", "own_d")};
  }
`,

  // variables, not an array, which compilers keep in memory
  zero: (head, { name }) =>
    range(ownCount(head))
      .map((i) => `  var ${name}_${i} = vec4<f32>();\n`)
      .join(""),

  round: (head, other) => loadRound(head, other, ""),

  dot(head, name, other, own) {
    const out: string[] = [];
    const at = (quad: number, row: number, column: number): string =>
      quad < 0 ? "0.0" : `${name}${row}_${column}${quad === head.quads - 1 ? "" : `_${quad}`}`;
    for (const quad of range(head.quads)) {
      for (const column of range(head.columns))
        out.push(`let ${name}_own${quad}_${column} = ${own.name}_own[${quad * head.columns + column}];`);
      for (const row of range(head.rows)) {
        const factor = `${name}_factor${quad}_${row}`;
        out.push(`let ${factor} = ${roundValue(head, other.name, row, quad)};`);
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
  },

  add(head, { name: sums }, other, weights, keep) {
    const out: string[] = [];
    for (const quad of range(head.quads)) {
      for (const row of range(head.rows))
        out.push(`let ${sums}_factor${quad}_${row} = ${roundValue(head, other.name, row, quad)};`);
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
  },

  store(head, sums, factor) {
    const { name, result, count } = sums;
    const store = head.vector
      ? `${result}[(to + d) / 4u] = value;`
      : range(4)
          .map((j) => `if (d + ${j}u < u.dim) { ${result}[to + d + ${j}u] = value.${XYZW[j]}; }`)
          .join("\n    ");
    return `  var ${name}_all: array<vec4<f32>, ${ownCount(head)}>;
${range(ownCount(head))
  .map((i) => `  ${name}_all[${i}] = ${name}_${i} * ${factor(i % head.columns)};\n`)
  .join("")}  for (var i = 0u; i < u.own; i++) {
    let row = column0 + i % ${head.columns}u;
    if (row >= ${count}) { continue; }
    let to = ${resultRow(sums, "row")};
    let d = i / ${head.columns}u * 4u;
    let value = ${name}_all[i];
    ${store}
  }
`;
  },
};
