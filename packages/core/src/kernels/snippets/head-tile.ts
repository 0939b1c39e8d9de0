import { type Lanes, spread } from "./tile.ts";
import { range } from "./uniforms.ts";

/**
 * The work of attention's kernels. A lane owns `columns` neighbouring rows of one side (queries, or keys in the gradient of k and v) and runs
 * over the other side's rows, a few a round: softmax then runs down registers, without a word between lanes.
 *
 * In scope: for an operand `x` the uniform `x_row` and the variable `x_base`; `u.dim`, the head's width, and `u.dim_last`, where its last four features
 * begin; `row0`, the round's first row; `column0`, the lane's first row, and `own{column}`, its rows held to those that exist.
 */
export interface HeadTile extends Lanes {
  /** Rows of a lane's own, side by side. */
  readonly columns: number;
  /** Rows of the other side a round. */
  readonly rows: number;
  /** Fours of features that straight-line code goes through: the head's width, rounded up, or 1 of a wide head. */
  readonly quads: number;
  /** A lane's own rows and sums stay in memory, and loops go through the head's width. */
  readonly wide: boolean;
  /** Operands are arrays of vec4 and the head's width is a multiple of four. */
  readonly vector: boolean;
}

/** An operand, and the expression of how many rows it has. */
export interface HeadOperand {
  readonly name: string;
  readonly count: string;
}

/** Sums of a lane's own rows; they go to `result`, [batch, count, heads, dim] contiguous. */
export interface RowSums {
  readonly name: string;
  readonly result: string;
  readonly count: string;
}

/** Four features from `d` of row `row`; zero past the head's width. */
export function fourFeatures(head: HeadTile, operand: string, row: string, d: string): string {
  const at = `${operand}_base + ${row} * u.${operand}_row + ${d}`;
  if (head.vector) return `${operand}[(${at}) / 4u]`;
  const each = range(4).map(
    (i) => `select(0.0, ${operand}[min(${at} + ${i}u, u.${operand}_last)], ${d} + ${i}u < u.dim)`,
  );
  return `vec4<f32>(${each.join(", ")})`;
}

/** Declares this lane's part of a round's rows of an operand, features from `from` on; the lanes that share spread it. */
export function loadRound(head: HeadTile, { name, count }: HeadOperand, from: string): string {
  const { rows, quads, share } = head;
  return range(Math.ceil((rows * quads) / share))
    .map(
      (part) => `    let ${name}_item${part} = source + ${part * share}u;
    let ${name}_at${part} = min(row0 + ${name}_item${part} % ${rows}u, ${count} - 1u);
    let ${name}_d${part} = min(${from}${name}_item${part} / ${rows}u * 4u, u.dim_last);
    let ${name}_part${part} = ${fourFeatures(head, name, `${name}_at${part}`, `${name}_d${part}`)};
`,
    )
    .join("");
}

/** Four features of row `row` of a round. */
export function roundValue(head: HeadTile, operand: string, row: number, quad: number): string {
  const item = quad * head.rows + row;
  return spread(head, `${operand}_part${Math.floor(item / head.share)}`, item % head.share);
}

/** Where a lane's row of a result begins. */
export const resultRow = ({ count }: RowSums, row: string): string =>
  `((batch * ${count} + ${row}) * u.heads + head) * u.dim`;
