import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { softmax } from "../ops/softmax.ts";
import { layerNorm } from "../ops/norm.ts";
import { linear } from "../ops/linear.ts";
import { planGraph } from "../schedule/planner.ts";
import { topologicalOrder } from "../graph/node.ts";
import { getDevice } from "../runtime/index.ts";
import { ones, tensor, zeros } from "../tensor/create.ts";
import { concat } from "../tensor/join.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { expectClose, ROUNDING } from "../testing/allclose.ts";
import { gradcheck, numericSlope } from "../testing/gradcheck.ts";
import { build, sample, type Nd } from "../testing/nd.ts";
import { zip } from "../testing/reference.ts";
import { grad, valueAndGrad } from "./grad.ts";

const leaf = ({ shape, data }: Nd): Tensor => tensor(Float32Array.from(data), { shape });
const one = (loss: Tensor, wrt: Tensor, seed?: Tensor): Tensor => grad(loss, [wrt], seed)[0] ?? zeros([]);
const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];

describe("grad", () => {
  test("of a loss that is not a scalar is that of its sum, or of a seed", async () => {
    const x = tensor([1, 2, 3]);
    expect(await values(one(x.square(), x))).toEqual([2, 4, 6]);
    expect(await values(one(x.square(), x, tensor([1, 0, -1])))).toEqual([2, 0, -6]);
    expect(() => grad(x, [x], ones([2]))).toThrow("grad: seed must have the loss's shape [3], got [2]");
  });

  test("adds up over all paths from a tensor to the loss", async () => {
    const x = tensor([2, 3]);
    const y = x.mul(x).add(x).sub(x.mul(3)).mul(x);
    // x³ − 2x²
    expect(await values(one(y, x))).toEqual([3 * 4 - 8, 3 * 9 - 12]);
  });

  test("of a tensor the loss does not depend on is zero, of the loss itself one", async () => {
    const [x, y] = [tensor([1, 2]), tensor([[3], [4]])];
    const loss = x.sum();
    const [dy, dloss, dconst] = grad(loss, [y, loss, ones([3])]);
    expect(dy?.shape).toEqual([2, 1]);
    expect(await Promise.all([dy, dloss, dconst].map(async (t) => (t ? values(t) : [])))).toEqual([
      [0, 0],
      [1],
      [0, 0, 0],
    ]);
  });

  test("of an intermediate, and of its inputs through it", async () => {
    const x = tensor([0.5, 1]);
    const y = x.exp();
    const [dy, dx] = grad(y.square().sum(), [y, x]);
    await realize([dy ?? x, dx ?? x]);
    const e = [0.5, 1].map(Math.exp);
    (await dy?.data())?.forEach((v, i) => expect(v).toBeCloseTo(2 * (e[i] ?? 0), 5));
    (await dx?.data())?.forEach((v, i) => expect(v).toBeCloseTo(2 * (e[i] ?? 0) ** 2, 4));
  });

  test("goes through tensors that were realised, as leaves", async () => {
    const x = tensor([1, 2]);
    const y = await x.mul(3).realize();
    expect(await values(one(y.square(), y))).toEqual([6, 12]);
    // the recipe is gone
    expect(await values(one(y.square(), x))).toEqual([0, 0]);
  });

  test("stops at detach, at comparisons and at whole numbers", async () => {
    const x = tensor([1, 2]);
    expect(await values(one(x.detach().mul(x), x))).toEqual([1, 2]);
    expect(await values(one(x.gt(1).cast("f32").mul(x), x))).toEqual([0, 1]);
    expect(await values(one(x.cast("i32").cast("f32"), x))).toEqual([0, 0]);
    expect(await values(one(x.floor().add(x.sign()), x))).toEqual([0, 0]);
  });

  test("broadcasts sum back to the shape they came from", async () => {
    const [row, column, scalar] = [tensor([[1, 2, 3]]), tensor([[1], [2]]), tensor(2)];
    const [dr, dc, ds] = grad(row.mul(column).mul(scalar), [row, column, scalar]);
    await realize([dr ?? row, dc ?? row, ds ?? row]);
    expect([dr?.shape, dc?.shape, ds?.shape]).toEqual([[1, 3], [2, 1], []]);
    expect(await Promise.all([dr, dc, ds].map(async (t) => (t ? values(t) : [])))).toEqual([[6, 6, 6], [12, 12], [18]]);
  });

  test("comes with the loss when asked for both", async () => {
    const x = tensor([3, 4]);
    const { loss, grads } = valueAndGrad(x.square().sum(), [x]);
    await realize([loss, ...grads]);
    expect([await loss.item(), ...(grads[0] ? await values(grads[0]) : [])]).toEqual([25, 6, 8]);
  });

  test("of a chain of thousands of ops needs no deep stack", async () => {
    const x = tensor([1]);
    let y = x;
    for (let i = 0; i < 20_000; i++) y = y.mul(x);
    expect(topologicalOrder([one(y, x).node]).length).toBeGreaterThan(10_000);
  });

  test("of the parts of a split is joined, not padded and added", async () => {
    const { traits } = await getDevice();
    const x = tensor(new Float32Array(24), { shape: [4, 6] });
    const [a = x, b = x, c = x] = x.exp().split([1, 2, 3], 1);
    const dx = one(concat([c.mul(2), a.sin(), b], { axis: 1 }).square(), x);
    const labels = planGraph(topologicalOrder([dx.node]), [dx.node], traits).steps.map((s) => s.label);
    expect(labels.filter((l) => l === "concat").length).toBeGreaterThanOrEqual(3);
    expect(labels).not.toContain("pad");
  });
});

describe("second derivatives", () => {
  test("of powers and products are exact", async () => {
    const [x, y] = [tensor([1, 2, 3]), tensor([2, 2, 2])];
    const first = one(x.pow(3).mul(y), x);
    const [xx, xy] = grad(first.sum(), [x, y]);
    const third = one(xx?.sum() ?? x, x);
    await realize([xx ?? x, xy ?? x]);
    expect([xx ? await values(xx) : [], xy ? await values(xy) : []]).toEqual([
      [12, 24, 36],
      [3, 12, 27],
    ]);
    expect(await values(third)).toEqual([12, 12, 12]);
  });

  test("of elementwise functions agree with differences of first ones", async () => {
    const x = sample([12], 4, 0.3, 2);
    const functions: [string, (t: Tensor) => Tensor, (v: number) => number][] = [
      ["tanh", (t) => t.tanh(), (v) => 1 - Math.tanh(v) ** 2],
      ["sigmoid", (t) => t.sigmoid(), (v) => Math.exp(-v) / (1 + Math.exp(-v)) ** 2],
      ["log", (t) => t.log(), (v) => 1 / v],
      ["sqrt", (t) => t.sqrt(), (v) => 0.5 / Math.sqrt(v)],
      ["rsqrt", (t) => t.rsqrt(), (v) => -0.5 * v ** -1.5],
      ["reciprocal", (t) => t.reciprocal(), (v) => -1 / v ** 2],
    ];
    const ones12 = build([12], () => 1);
    for (const [name, f, slope] of functions) {
      const t = leaf(x);
      const second = one(one(f(t).sum(), t).sum(), t);
      const expected = Float64Array.from(x.data, (_, i) => numericSlope(([v = x]) => zip(slope, v), [x], 0, i, ones12));
      await expectClose(second, { shape: [12], data: expected }, { absolute: 2e-5, relative: 2e-5 }, name);
    }
  });

  test("pass through products of matrices, reductions, views and norms", async () => {
    const [x, w] = [sample([3, 5], 1), sample([4, 5], 2)];
    // the gradient of a function of the gradient, against differences along random directions
    await gradcheck(
      (a, b) => {
        const inner = softmax(
          layerNorm(
            linear(a ?? zeros([]), b ?? zeros([]))
              .transpose()
              .reshape([3, 4]),
          ),
        );
        return one(inner.square().sum(), a ?? zeros([]));
      },
      [x, w],
      { tolerance: 2e-2 },
    );
  });
});

describe("gradients of random graphs", () => {
  type Step = (a: Tensor, b: Tensor) => Tensor;
  const steps = fc.constantFrom<Step>(
    (a, b) => a.mul(b).add(a),
    (a, b) => a.sub(b.tanh()),
    (a, b) => a.transpose().reshape(a.shape).mul(b),
    (a) => softmax(a),
    (a, b) => a.matmul(b.transpose()).matmul(b).mul(0.2),
    (a) => a.sub(a.mean({ axis: 0, keepdim: true })),
    (a, b) => concat([a.slice(0, 1), b.slice(0, 0, 1)], { axis: 0 }),
    (a) =>
      a
        .pad([
          [0, 0],
          [1, 0],
        ])
        .slice(1, 0, -1)
        .add(a.sin()),
    (a, b) => a.mul(b.max({ axis: 1, keepdim: true })),
    (a) => a.flip(1).mul(a.square().add(1).rsqrt()),
  );

  test("agree with differences along random directions", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 2, maxLength: 4 }), async (list) => {
        const f = (a: Tensor, b: Tensor): Tensor => list.reduce((y, next, i) => next(y, i % 2 === 0 ? b : a), a);
        await gradcheck((a, b) => f(a ?? zeros([]), b ?? zeros([])), [sample([3, 4], 1), sample([3, 4], 2)], {
          directions: 1,
        });
      }),
      { seed: 17, numRuns: 8 },
    );
  });
});

test("gradients of zero-size tensors are zero-size", async () => {
  const [x, w] = [zeros([0, 3]).add(tensor(0)), tensor([[1, 2, 3]])];
  const [dx, dw] = grad(x.mul(w).sum({ axis: 0 }).exp(), [x, w]);
  await realize([dx ?? x, dw ?? w]);
  expect([dx?.shape, dw?.shape]).toEqual([
    [0, 3],
    [1, 3],
  ]);
  if (dw)
    await expectClose(
      dw,
      build([1, 3], () => 0),
      ROUNDING,
    );
});
