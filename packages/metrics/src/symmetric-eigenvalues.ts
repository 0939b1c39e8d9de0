import { OmniError, ShapeError } from "@omni/core";

// QL needs about two rounds an eigenvalue; EISPACK gives up after thirty
const MOST_ROUNDS = 60;

/**
 * Eigenvalues of a symmetric matrix in float64: Householder's reduction to three diagonals, then implicit QL.
 *
 * Each is within a few n·2⁻⁵³ of the largest's size. It takes about 4/3 n³ multiplications.
 *
 * @param matrix [n, n] in row-major order; only its lower triangle is read
 * @returns in rising order
 * @throws ShapeError unless it has n² elements
 * @see Golub & Van Loan, "Matrix Computations", sections 8.3.1 and 8.3.3; Wilkinson's shift
 */
export function symmetricEigenvalues(matrix: Float64Array, n: number): Float64Array {
  if (matrix.length !== n * n)
    throw new ShapeError(`symmetricEigenvalues: the matrix must have ${n}² elements, got ${matrix.length}`);
  const { diagonal, beside } = tridiagonal(matrix.slice(), n);
  implicitQl(diagonal, beside);
  return diagonal.sort();
}

interface Tridiagonal {
  /** [n] */
  readonly diagonal: Float64Array;
  /** [n], element i beside diagonal i and i + 1; the last is 0. */
  readonly beside: Float64Array;
}

/** Q A Qᵀ of three diagonals; overwrites the lower triangle of `a`, from the last row up. */
function tridiagonal(a: Float64Array, n: number): Tridiagonal {
  const diagonal = new Float64Array(n);
  const beside = new Float64Array(n);
  const p = new Float64Array(n);
  for (let k = n - 1; k >= 1; k--) {
    // the reflection turns row k, left of the diagonal, into one number at k − 1; it is kept in the row itself
    const v = a.subarray(k * n, k * n + k);
    diagonal[k] = a[k * n + k] ?? 0;
    let scale = 0;
    for (let j = 0; j < k; j++) scale = Math.max(scale, Math.abs(v[j] ?? 0));
    let rest = 0;
    for (let j = 0; j < k - 1; j++) rest = Math.max(rest, Math.abs(v[j] ?? 0));
    const tip = v[k - 1] ?? 0;
    if (rest === 0) {
      beside[k - 1] = tip;
      continue;
    }
    let square = 0;
    for (let j = 0; j < k; j++) {
      const scaled = (v[j] ?? 0) / scale;
      v[j] = scaled;
      square += scaled * scaled;
    }
    const head = v[k - 1] ?? 0;
    const length = head > 0 ? -Math.sqrt(square) : Math.sqrt(square);
    beside[k - 1] = scale * length;
    v[k - 1] = head - length;
    const half = square - head * length; // vᵀv / 2
    twoSided(a, n, k, v, p, half);
  }
  diagonal[0] = a[0] ?? 0;
  return { diagonal, beside };
}

/** A ← (1 − v vᵀ / half) A (1 − v vᵀ / half) on the first k rows and columns, lower triangle. */
function twoSided(a: Float64Array, n: number, k: number, v: Float64Array, p: Float64Array, half: number): void {
  // p = A v / half, row by row: each element below the diagonal serves two of its sums
  p.fill(0, 0, k);
  for (let i = 0; i < k; i++) {
    const row = i * n;
    const vi = v[i] ?? 0;
    let sum = (a[row + i] ?? 0) * vi;
    for (let j = 0; j < i; j++) {
      const aij = a[row + j] ?? 0;
      sum += aij * (v[j] ?? 0);
      p[j] = (p[j] ?? 0) + aij * vi;
    }
    p[i] = (p[i] ?? 0) + sum;
  }
  let along = 0;
  for (let i = 0; i < k; i++) {
    p[i] = (p[i] ?? 0) / half;
    along += (p[i] ?? 0) * (v[i] ?? 0);
  }
  along /= 2 * half;
  for (let i = 0; i < k; i++) p[i] = (p[i] ?? 0) - along * (v[i] ?? 0);
  for (let i = 0; i < k; i++) {
    const row = i * n;
    const vi = v[i] ?? 0;
    const pi = p[i] ?? 0;
    for (let j = 0; j <= i; j++) a[row + j] = (a[row + j] ?? 0) - vi * (p[j] ?? 0) - pi * (v[j] ?? 0);
  }
}

/** Turns the diagonal of a symmetric tridiagonal matrix into its eigenvalues. */
function implicitQl(d: Float64Array, e: Float64Array): void {
  const n = d.length;
  for (let l = 0; l < n; l++) {
    for (let round = 0; ; round++) {
      const m = splitAfter(d, e, l);
      if (m === l) break;
      if (round === MOST_ROUNDS)
        throw new OmniError("symmetricEigenvalues: the matrix must be finite, got no convergence; look for NaN in it");
      sweep(d, e, l, m);
    }
  }
}

/** The first place from l on whose element beside it counts as zero against its neighbours. */
function splitAfter(d: Float64Array, e: Float64Array, l: number): number {
  let m = l;
  for (; m < d.length - 1; m++) {
    const size = Math.abs(d[m] ?? 0) + Math.abs(d[m + 1] ?? 0);
    if (Math.abs(e[m] ?? 0) <= Number.EPSILON * size) break;
  }
  return m;
}

/** One QL step with Wilkinson's shift on the block from l to m. */
function sweep(d: Float64Array, e: Float64Array, l: number, m: number): void {
  const [dl = 0, el = 0] = [d[l], e[l]];
  let g = ((d[l + 1] ?? 0) - dl) / (2 * el);
  const root = Math.hypot(g, 1);
  g = (d[m] ?? 0) - dl + el / (g + (g >= 0 ? root : -root));
  let [sine, cosine, shift] = [1, 1, 0];
  for (let i = m - 1; i >= l; i--) {
    const f = sine * (e[i] ?? 0);
    const b = cosine * (e[i] ?? 0);
    const r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      // the rotation is undone by an exact zero: the block splits here
      d[i + 1] = (d[i + 1] ?? 0) - shift;
      e[m] = 0;
      return;
    }
    sine = f / r;
    cosine = g / r;
    g = (d[i + 1] ?? 0) - shift;
    const t = ((d[i] ?? 0) - g) * sine + 2 * cosine * b;
    shift = sine * t;
    d[i + 1] = g + shift;
    g = cosine * t - b;
  }
  d[l] = (d[l] ?? 0) - shift;
  e[l] = g;
  e[m] = 0;
}
