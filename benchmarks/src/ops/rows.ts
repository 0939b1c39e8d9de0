import { at, expectAt, type Floats, type Kind } from "./kind.ts";
import { uniform } from "./random.ts";

/** Work on the rows of a matrix. */
export interface RowsSpec {
  readonly rows: number;
  readonly columns: number;
}

export interface RowsInputs {
  readonly x: Floats;
  /** [columns] */
  readonly weight: Floats;
  /** [columns] */
  readonly bias: Floats;
}

/** ε of both norms, for every contender. */
export const NORM_EPS = 1e-5;

/** A few elements each of a few hundred rows: a row's statistics cost a pass over it. */
const CHECKED = 512;

type RowValue = (row: {
  readonly x: Floats;
  readonly start: number;
  readonly columns: number;
}) => (i: number) => number;

function kind(valueOf: RowValue, affine: "none" | "weight" | "weight and bias"): Kind<RowsSpec, RowsInputs> {
  return {
    inputs: ({ rows, columns }) => ({
      x: uniform(rows * columns, 1),
      weight: uniform(columns, 2),
      bias: uniform(columns, 3),
    }),
    expected: ({ rows, columns }, { x, weight, bias }) =>
      expectAt(
        rows * columns,
        (position) => {
          const column = position % columns;
          const y = valueOf({ x, start: position - column, columns })(column);
          if (affine === "none") return y;
          return y * at(weight, column) + (affine === "weight" ? 0 : at(bias, column));
        },
        CHECKED,
      ),
    flops: () => null,
    bytes: ({ rows, columns }) => 2 * 4 * rows * columns,
  };
}

/** eˣ / Σ eˣ over each row. */
export const softmax = kind(({ x, start, columns }) => {
  let most = -Infinity;
  for (let i = 0; i < columns; i++) most = Math.max(most, at(x, start + i));
  let sum = 0;
  for (let i = 0; i < columns; i++) sum += Math.exp(at(x, start + i) - most);
  return (i) => Math.exp(at(x, start + i) - most) / sum;
}, "none");

/** (x − mean) / √(variance + ε) · weight + bias over each row. */
export const layerNorm = kind(({ x, start, columns }) => {
  let mean = 0;
  for (let i = 0; i < columns; i++) mean += at(x, start + i) / columns;
  let variance = 0;
  for (let i = 0; i < columns; i++) variance += (at(x, start + i) - mean) ** 2 / columns;
  return (i) => (at(x, start + i) - mean) / Math.sqrt(variance + NORM_EPS);
}, "weight and bias");

/** x / √(mean x² + ε) · weight over each row. */
export const rmsNorm = kind(({ x, start, columns }) => {
  let square = 0;
  for (let i = 0; i < columns; i++) square += at(x, start + i) ** 2 / columns;
  return (i) => at(x, start + i) / Math.sqrt(square + NORM_EPS);
}, "weight");
