/** Columns of a block: four rows of each side, 64 KiB, stay in the cache. */
const DEPTH = 1024;

/**
 * A·Bᵀ in float64, in blocks of 4×4 so that each number read serves four products.
 *
 * @param a [rows, depth] in row-major order
 * @param b [columns, depth]
 * @param options.lower leaves out blocks above the diagonal: for results that are symmetric
 * @returns [rows, columns]
 */
export function timesTransposed(
  a: Float64Array,
  b: Float64Array,
  [rows, columns, depth]: readonly [number, number, number],
  { lower = false }: { readonly lower?: boolean } = {},
): Float64Array {
  const y = new Float64Array(rows * columns);
  for (let from = 0; from < depth; from += DEPTH) {
    const to = Math.min(depth, from + DEPTH);
    for (let i = 0; i < rows; i += 4)
      for (let j = 0; j < (lower ? Math.min(columns, i + 4) : columns); j += 4)
        if (i + 4 <= rows && j + 4 <= columns) block(a, b, y, i, j, depth, columns, from, to);
        else edge(a, b, y, i, j, Math.min(rows, i + 4), Math.min(columns, j + 4), depth, columns, from, to);
  }
  return y;
}

function block(
  a: Float64Array,
  b: Float64Array,
  y: Float64Array,
  i: number,
  j: number,
  depth: number,
  columns: number,
  from: number,
  to: number,
): void {
  const [a0, a1, a2, a3] = [i * depth, (i + 1) * depth, (i + 2) * depth, (i + 3) * depth];
  const [b0, b1, b2, b3] = [j * depth, (j + 1) * depth, (j + 2) * depth, (j + 3) * depth];
  let [y00, y01, y02, y03] = [0, 0, 0, 0];
  let [y10, y11, y12, y13] = [0, 0, 0, 0];
  let [y20, y21, y22, y23] = [0, 0, 0, 0];
  let [y30, y31, y32, y33] = [0, 0, 0, 0];
  for (let k = from; k < to; k++) {
    const p = b[b0 + k] ?? 0;
    const q = b[b1 + k] ?? 0;
    const r = b[b2 + k] ?? 0;
    const s = b[b3 + k] ?? 0;
    let x = a[a0 + k] ?? 0;
    y00 += x * p;
    y01 += x * q;
    y02 += x * r;
    y03 += x * s;
    x = a[a1 + k] ?? 0;
    y10 += x * p;
    y11 += x * q;
    y12 += x * r;
    y13 += x * s;
    x = a[a2 + k] ?? 0;
    y20 += x * p;
    y21 += x * q;
    y22 += x * r;
    y23 += x * s;
    x = a[a3 + k] ?? 0;
    y30 += x * p;
    y31 += x * q;
    y32 += x * r;
    y33 += x * s;
  }
  addRow(y, i * columns + j, y00, y01, y02, y03);
  addRow(y, (i + 1) * columns + j, y10, y11, y12, y13);
  addRow(y, (i + 2) * columns + j, y20, y21, y22, y23);
  addRow(y, (i + 3) * columns + j, y30, y31, y32, y33);
}

function addRow(y: Float64Array, at: number, p: number, q: number, r: number, s: number): void {
  y[at] = (y[at] ?? 0) + p;
  y[at + 1] = (y[at + 1] ?? 0) + q;
  y[at + 2] = (y[at + 2] ?? 0) + r;
  y[at + 3] = (y[at + 3] ?? 0) + s;
}

function edge(
  a: Float64Array,
  b: Float64Array,
  y: Float64Array,
  i0: number,
  j0: number,
  i1: number,
  j1: number,
  depth: number,
  columns: number,
  from: number,
  to: number,
): void {
  for (let i = i0; i < i1; i++)
    for (let j = j0; j < j1; j++) {
      let sum = 0;
      for (let k = from; k < to; k++) sum += (a[i * depth + k] ?? 0) * (b[j * depth + k] ?? 0);
      y[i * columns + j] = (y[i * columns + j] ?? 0) + sum;
    }
}
