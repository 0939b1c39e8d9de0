import { at, expectAt, type Floats, type Kind } from "./kind.ts";
import { uniform } from "./random.ts";

/** C = A·B for `batch` pairs: [batch, m, k] · [batch, k, n]. */
export interface MatmulSpec {
  readonly batch: number;
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

export interface MatmulInputs {
  readonly a: Floats;
  readonly b: Floats;
}

export const matmul: Kind<MatmulSpec, MatmulInputs> = {
  inputs: ({ batch, m, k, n }) => ({ a: uniform(batch * m * k, 1), b: uniform(batch * k * n, 2) }),
  expected: ({ batch, m, k, n }, { a, b }) =>
    expectAt(batch * m * n, (position) => {
      const column = position % n;
      const row = Math.floor(position / n);
      const matrix = Math.floor(row / m);
      let sum = 0;
      for (let i = 0; i < k; i++) sum += at(a, row * k + i) * at(b, (matrix * k + i) * n + column);
      return sum;
    }),
  flops: ({ batch, m, k, n }) => 2 * batch * m * k * n,
  bytes: () => null,
};
