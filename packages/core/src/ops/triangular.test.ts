import { describe, expect, test } from "vitest";
import { tensor, zeros } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { expectClose, type Tolerance } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { at, build, sample, sum, type Nd } from "../testing/nd.ts";
import { matmul } from "../testing/reference.ts";
import { cholesky, solveTriangular } from "./triangular.ts";

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];
const leaf = ({ shape, data }: Nd): Tensor => tensor(Float32Array.from(data), { shape });
// sums of at most 30 products, diagonals of 2 or more
const SOLVED: Tolerance = { absolute: 5e-6, relative: 5e-6 };

/** Noise with 3 added on the diagonal. */
const heavy = (x: Nd): Nd => build(x.shape, (index) => at(x, index) + (index.at(-1) === index.at(-2) ? 3 : 0));
const heavier = (x: Tensor): Tensor => x.add(leaf(heavy(build(x.shape.slice(-2), () => 0))));

/** Substitution in float64, each column by itself. */
function substituted(t: Nd, b: Nd, upper: boolean, unit: boolean): Nd {
  const [n = 0, k = 0] = b.shape.slice(-2);
  const lead = t.shape.slice(0, -2);
  const x = build([...lead, n, k], () => 0);
  build([...lead, 1, k], (index) => {
    const front = index.slice(0, -2);
    const column = index.at(-1) ?? 0;
    const place = (i: number): number => (front.reduce((p, c, a) => p * (lead[a] ?? 1) + c, 0) * n + i) * k + column;
    for (let step = 0; step < n; step++) {
      const i = upper ? n - 1 - step : step;
      const rest = sum(step, (s) => {
        const j = upper ? n - 1 - s : s;
        return at(t, [...front, i, j]) * (x.data[place(j)] ?? NaN);
      });
      x.data[place(i)] = (at(b, [...front, i, column]) - rest) / (unit ? 1 : at(t, [...front, i, i]));
    }
    return 0;
  });
  return x;
}
for (const [upper, unitDiagonal] of [
  [false, false],
  [true, false],
  [true, true],
  [false, true],
] as const)
  describeOp(
    `solveTriangular, ${upper ? "upper" : "lower"}${unitDiagonal ? ", of a diagonal of ones" : ""}`,
    (t, b) => solveTriangular(heavier(t), b, { upper, unitDiagonal }),
    {
      cases: unitDiagonal
        ? [{ t: [3, 3], b: [3, 2] }]
        : [
            { t: [2, 4, 4], b: [4, 3] },
            { t: [1, 1], b: [1, 1] },
            { t: [2, 2], b: [2, 0] },
          ],
      reference: (t, b) => substituted(heavy(t), b, upper, unitDiagonal),
      tolerance: SOLVED,
      throws: [[{ t: [2, 3], b: [3, 1] }, "solveTriangular: must be given square matrices [..., n, n], got [2, 3]"]],
    },
  );

/** x·xᵀ + 3, symmetric and positive definite. */
const definite = (x: Nd): Nd => {
  const n = x.shape.at(-1) ?? 0;
  return build(x.shape, (index) => {
    const lead = index.slice(0, -2);
    const [i = 0, j = 0] = index.slice(-2);
    return sum(n, (k) => at(x, [...lead, i, k]) * at(x, [...lead, j, k])) + (i === j ? 3 : 0);
  });
};
/** The factor in float64, row by row. */
function factor(a: Nd): Nd {
  const n = a.shape.at(-1) ?? 0;
  const l: Nd = { shape: a.shape, data: new Float64Array(a.data.length) };
  for (let m = 0; m < a.data.length / (n * n || 1); m++)
    for (let i = 0; i < n; i++)
      for (let j = 0; j <= i; j++) {
        const place = (row: number, column: number): number => (m * n + row) * n + column;
        const rest =
          (a.data[place(i, j)] ?? 0) - sum(j, (k) => (l.data[place(i, k)] ?? 0) * (l.data[place(j, k)] ?? 0));
        l.data[place(i, j)] = i === j ? Math.sqrt(rest) : rest / (l.data[place(j, j)] ?? NaN);
      }
  return l;
}
describeOp("cholesky", (x) => cholesky(heavier(x.matmul(x.transpose()))), {
  cases: [{ x: [2, 4, 4] }, { x: [7, 7] }, { x: [1, 1] }, { x: [0, 3, 3] }],
  reference: (x) => factor(definite(x)),
  tolerance: SOLVED,
});

describe("cholesky", () => {
  test("of 30 rows gives back its matrix, and leaves zeros above the diagonal", async () => {
    const a = definite(sample([30, 30], 6));
    const l = cholesky(leaf(a));
    const product = l.matmul(l.transpose());
    await realize([l, product]);
    await expectClose(product, a, { absolute: 2e-5, relative: 1e-5 });
    const found = await values(l);
    for (let i = 0; i < 30; i++) for (let j = i + 1; j < 30; j++) expect(found[i * 30 + j]).toBe(0);
    await expectClose(l, factor(a), { absolute: 2e-5, relative: 2e-5 });
  });

  test("reads the lower triangle, and gives NaN where a matrix is not positive definite", async () => {
    const [lower, not] = [
      cholesky(
        tensor([
          [4, 99],
          [2, 5],
        ]),
      ),
      cholesky(
        tensor([
          [1, 2],
          [2, 1],
        ]),
      ),
    ];
    await realize([lower, not]);
    expect([await values(lower), await values(not)]).toEqual([
      [2, 0, 1, 2],
      [1, 0, 2, NaN],
    ]);
    expect(() => cholesky(zeros([2, 3]))).toThrow("cholesky: must be given square matrices");
  });

  test("together with solveTriangular solves systems", async () => {
    const [a, x] = [definite(sample([5, 5], 1)), sample([5, 2], 2)];
    const l = cholesky(leaf(a));
    const y = solveTriangular(l, leaf(matmul(a, x)));
    await expectClose(solveTriangular(l.transpose(), y, { upper: true }), x, { absolute: 2e-5, relative: 2e-5 });
  });
});
