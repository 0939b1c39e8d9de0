import { describe, expect, test } from "vitest";
import { DTypeError, ShapeError } from "../base/errors.ts";
import { grad } from "../autograd/grad.ts";
import { getDevice } from "../runtime/index.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { expectClose, type Tolerance } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { gradcheck } from "../testing/gradcheck.ts";
import { at, build, sample, type Nd } from "../testing/nd.ts";
import { matmul } from "../testing/reference.ts";
import { runProgram } from "../kernels/run-program.ts";
import { determinantProgram, solveProgram } from "./lu.ts";
import { det, inverse, slogdet, solve } from "./solve.ts";

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];
const leaf = ({ shape, data }: Nd): Tensor => tensor(Float32Array.from(data), { shape });
// condition numbers of about 10, sums of at most 40 products
const SOLVED: Tolerance = { absolute: 2e-5, relative: 2e-5 };

/** [..., n, n] away from singular: noise in [−1, 1) and a diagonal of n / 2 or more, in rows turned by one so that pivots must be sought. */
const steady = (x: Nd): Nd => {
  const n = x.shape.at(-1) ?? 0;
  return build(x.shape, (index) => {
    const [i = 0, j = 0] = index.slice(-2);
    return at(x, index) + ((i + 1) % n === j ? n / 2 + 1 : 0);
  });
};
const steadied = (x: Tensor): Tensor => x.add(leaf(steady(build(x.shape.slice(-2), () => 0))));

/** Gauss–Jordan with row exchanges in float64: A⁻¹ and det A of one matrix. */
function eliminated(rows: number[][]): { inverse: number[][]; det: number } {
  const n = rows.length;
  const work = rows.map((row, i) => [...row, ...row.map((_, j) => Number(i === j))]);
  let product = 1;
  for (let k = 0; k < n; k++) {
    const sizes = work.map((row, i) => (i < k ? -1 : Math.abs(row[k] ?? 0)));
    const p = sizes.indexOf(Math.max(...sizes));
    const pivotRow = work[p] ?? [];
    if (p !== k) product = -product;
    work[p] = work[k] ?? [];
    const pivot = pivotRow[k] ?? NaN;
    product *= pivot;
    const scaled = pivotRow.map((v) => v / pivot);
    work.forEach((row, i) => {
      const factor = i === k ? 0 : (row[k] ?? 0);
      work[i] = row.map((v, j) => v - factor * (scaled[j] ?? 0));
    });
    work[k] = scaled;
  }
  return { inverse: work.map((row) => row.slice(n)), det: product };
}
const matrixAt = (x: Nd, lead: readonly number[]): number[][] => {
  const n = x.shape.at(-1) ?? 0;
  return Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_v, j) => at(x, [...lead, i, j])));
};
const inverseOf = (x: Nd): Nd =>
  build(
    x.shape,
    (index) => eliminated(matrixAt(x, index.slice(0, -2))).inverse[index.at(-2) ?? 0]?.[index.at(-1) ?? 0] ?? NaN,
  );

describeOp("solve", (a, b) => solve(steadied(a), b), {
  cases: [
    { a: [3, 3], b: [3, 2] },
    { a: [2, 1, 4, 4], b: [3, 4, 1] },
    { a: [1, 1], b: [1, 1] },
    { a: [5, 5], b: [5] },
    { a: [2, 3, 3], b: [3] },
    { a: [0, 3, 3], b: [3, 2] },
    { a: [3, 3], b: [3, 0] },
  ],
  reference: (a, b) => {
    const x = matmul(inverseOf(steady(a)), b.shape.length === 1 ? { shape: [...b.shape, 1], data: b.data } : b);
    return b.shape.length === 1 ? { shape: x.shape.slice(0, -1), data: x.data } : x;
  },
  tolerance: SOLVED,
  throws: [
    [{ a: [2, 3], b: [3, 1] }, "solve: must be given square matrices [..., n, n], got [2, 3]"],
    [{ a: [3, 3], b: [2, 1] }, "solve: b must be [..., 3, k] or [3], got [2, 1]"],
    [{ a: [2, 3, 3], b: [4, 3, 1] }, "solve: shapes must broadcast, got [2] and [4]"],
  ],
});
describeOp("inverse", (a) => inverse(steadied(a)), {
  cases: [{ a: [2, 3, 3] }, { a: [1, 1] }],
  reference: (a) => inverseOf(steady(a)),
  tolerance: SOLVED,
  throws: [[{ a: [3] }, "inverse: must be given square matrices"]],
});
describeOp("det", (a) => det(steadied(a)), {
  cases: [{ a: [2, 3, 3] }, { a: [4, 4] }, { a: [1, 1] }, { a: [2, 0, 0] }, { a: [0, 2, 2] }],
  reference: (a) => build(a.shape.slice(0, -2), (index) => eliminated(matrixAt(steady(a), index)).det),
  tolerance: SOLVED,
});
describeOp("slogdet", (a) => slogdet(steadied(a)).logAbs, {
  cases: [{ a: [2, 3, 3] }, { a: [6, 6] }],
  reference: (a) =>
    build(a.shape.slice(0, -2), (index) => Math.log(Math.abs(eliminated(matrixAt(steady(a), index)).det))),
  tolerance: SOLVED,
});

describe("linear systems", () => {
  test("of 40 rows are solved to the last digits that their condition leaves", async () => {
    const [a, x] = [steady(sample([40, 40], 1)), sample([40, 3], 2)];
    await expectClose(solve(leaf(a), leaf(matmul(a, x))), x, { absolute: 1e-4, relative: 1e-4 });
  });

  test("give the same by many lanes, as adapters of hardware run them", async () => {
    const traits = { ...(await getDevice()).traits, software: false };
    const [a, x] = [steady(sample([2, 9, 9], 1)), sample([2, 9, 2], 2)];
    const b = matmul(a, x);
    const inputs = [Float32Array.from(a.data), Float32Array.from(b.data)];
    const [found = new Float32Array()] = await runProgram(solveProgram(2, 9, 2, traits), inputs, [36]);
    found.forEach((v, i) => expect(v).toBeCloseTo(x.data[i] ?? NaN, 4));
    const [dets = new Float32Array()] = await runProgram(determinantProgram(2, 9, traits), inputs.slice(0, 1), [6]);
    [0, 1].forEach((m) => expect((dets[3 * m + 2] ?? NaN) / eliminated(matrixAt(a, [m])).det).toBeCloseTo(1, 4));
  });

  test("that are singular give NaN, and a determinant of 0", async () => {
    const a = tensor([
      [1, 2],
      [2, 4],
    ]);
    const { sign, logAbs } = slogdet(a);
    const results = [solve(a, tensor([1, 1])), det(a), sign, logAbs, solve(tensor([[[2]], [[0]]]), tensor([4]))];
    await realize(results);
    // + 0: −0 equals 0
    const found = await Promise.all(results.map(values));
    expect(found.map((list) => list.map((v) => v + 0))).toEqual([[NaN, NaN], [0], [0], [-Infinity], [2, NaN]]);
  });

  test("of rows in another order have the sign of the exchange", async () => {
    const a = tensor([
      [0, 1],
      [1, 0],
    ]);
    const { sign, logAbs } = slogdet(a);
    await realize([sign, logAbs]);
    expect([await values(det(a)), await values(sign), await values(logAbs)]).toEqual([[-1], [-1], [0]]);
  });

  test("have gradients of their gradients", async () => {
    await gradcheck((a) => grad(det(steadied(a)).square(), [a])[0] ?? zeros([]), [sample([2, 2], 3)], {
      tolerance: 2e-2,
    });
    await gradcheck(
      (a, b) => grad(solve(steadied(a), b).square(), [a])[0] ?? zeros([]),
      [sample([3, 3], 4), sample([3, 1], 5)],
    );
  });

  test("refuse whole numbers", () => {
    expect(() => solve(zeros([2, 2], "i32"), zeros([2]))).toThrow(DTypeError);
    expect(() => det(zeros([2, 3]))).toThrow(ShapeError);
  });
});
