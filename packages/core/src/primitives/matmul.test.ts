import { describe, expect, test } from "vitest";
import { DTypeError } from "../base/errors.ts";
import { grad } from "../autograd/grad.ts";
import { ones, tensor, zeros } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { expectClose, type Tolerance } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { sample, type Nd } from "../testing/nd.ts";
import { matmul } from "../testing/reference.ts";

// at most 300 products of numbers below 1, each sum rounded once: 300 · 2⁻²⁴ in the worst case
const SUMS: Tolerance = { absolute: 2e-5, relative: 1e-6 };

const leaf = ({ shape, data }: Nd): Tensor => tensor(Float32Array.from(data), { shape });
const swap = ({ shape, data }: Nd): Nd => {
  const [m = 0, n = 0] = shape;
  return { shape: [n, m], data: data.map((_, i) => data[(i % m) * n + Math.floor(i / m)] ?? NaN) };
};

describeOp("matmul", (a, b) => a.matmul(b), {
  cases: [
    { a: [3, 5], b: [5, 7] },
    { a: [1, 1], b: [1, 1] },
    { a: [4, 8], b: [8, 4] },
    { a: [17, 33], b: [33, 9] },
    { a: [2, 3, 5], b: [2, 5, 4] },
    { a: [2, 1, 3, 4], b: [3, 4, 2] },
    { a: [3, 4], b: [2, 4, 3] },
    { a: [2, 2, 2, 2, 3], b: [2, 1, 2, 3, 2] },
    { a: [0, 3], b: [3, 2] },
    { a: [2, 3], b: [3, 0] },
    { a: [2, 0], b: [0, 3] },
    { a: [0, 2, 3], b: [0, 3, 2] },
  ],
  reference: matmul,
  tolerance: SUMS,
  gradientTolerance: SUMS,
  throws: [
    [{ a: [2, 3], b: [4, 5] }, "matmul: [m, k]·[k, n] must share k, got [2, 3] and [4, 5]"],
    [{ a: [2, 2, 3], b: [3, 3, 4] }, "matmul: shapes must broadcast, got [2] and [3]"],
    [{ a: [], b: [3, 3] }, "matmul: [m, k]·[k, n] must share k, got [] and [3, 3]"],
  ],
});

describe("operands as they lie", () => {
  const [a, b] = [sample([6, 9], 1), sample([9, 5], 2)];
  const expected = matmul(a, b);

  test.each<[string, (a: Nd, b: Nd) => Tensor]>([
    ["transposed left", (x, y) => leaf(swap(x)).transpose().matmul(leaf(y))],
    ["transposed right", (x, y) => leaf(x).matmul(leaf(swap(y)).transpose())],
    [
      "both transposed",
      (x, y) =>
        leaf(swap(x))
          .transpose()
          .matmul(leaf(swap(y)).transpose()),
    ],
    ["flipped twice over", (x, y) => leaf(x).flip(0).matmul(leaf(y).flip(1)).flip(0).flip(1)],
    ["flipped along k", (x, y) => leaf(x).flip(1).matmul(leaf(y).flip(0))],
    [
      "cut out of larger ones",
      (x, y) =>
        leaf(x)
          .pad([
            [1, 2],
            [3, 0],
          ])
          .mul(1)
          .slice(0, 1, 7)
          .slice(1, 3)
          .matmul(leaf(y)),
    ],
    ["from an expression", (x, y) => leaf(x).mul(2).matmul(leaf(y).mul(0.5))],
  ])("%s", async (_, product) => {
    await expectClose(product(a, b), expected, SUMS);
  });

  test("one row repeated for all", async () => {
    const row = sample([1, 9], 3);
    const whole = matmul(
      { shape: [4, 9], data: Float64Array.from({ length: 36 }, (_, i) => row.data[i % 9] ?? NaN) },
      b,
    );
    await expectClose(leaf(row).expand([4, 9]).matmul(leaf(b)), whole, SUMS);
  });

  test("gradients of transposed views come back in the view's layout", async () => {
    const x = leaf(swap(a));
    const [dx] = grad(x.transpose().matmul(leaf(b)), [x]);
    const columns = matmul(b, { shape: [5, 6], data: new Float64Array(30).fill(1) });
    if (dx) await expectClose(dx, columns, SUMS);
    expect(dx?.shape).toEqual([9, 6]);
  });
});

describe("vectors", () => {
  test("on the left are rows, on the right columns, both a dot product", async () => {
    const v = tensor([1, 2, 3]);
    const m = tensor([
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ]);
    const results = [
      v.matmul(m),
      m.matmul(v),
      v.matmul(v),
      m.reshape([1, 3, 3]).matmul(v),
      v.matmul(m.reshape([1, 3, 3])),
    ];
    await realize(results);
    expect(results.map((r) => r.shape)).toEqual([[3], [3], [], [1, 3], [1, 3]]);
    expect(await Promise.all(results.map(async (r) => [...(await r.data())]))).toEqual([
      [30, 36, 42],
      [14, 32, 50],
      [14],
      [14, 32, 50],
      [30, 36, 42],
    ]);
    const [dv] = grad(v.matmul(v), [v]);
    expect(await dv?.data()).toEqual(Float32Array.of(2, 4, 6));
  });
});

test("a long inner axis is summed in parts", async () => {
  const k = 5003;
  const [a, b] = [sample([3, k], 1), sample([k, 2], 2)];
  await expectClose(leaf(a).matmul(leaf(b)), matmul(a, b), { absolute: 2e-4, relative: 0 });
});

test("whole numbers are refused", () => {
  expect(() => ones([2, 2], "i32").matmul(ones([2, 2], "i32"))).toThrow(
    new DTypeError("matmul: input must be f32, got i32; cast it first"),
  );
  expect(() => zeros([2, 2]).matmul(ones([2, 2], "u32"))).toThrow(DTypeError);
});
