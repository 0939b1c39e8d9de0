import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { topologicalOrder } from "../graph/node.ts";
import { SOFTWARE_TRAITS } from "../kernels/traits.fixture.ts";
import { groupNorm, layerNorm, rmsNorm } from "../ops/norm.ts";
import { logSoftmax, softmax } from "../ops/softmax.ts";
import { tensor } from "../tensor/create.ts";
import { Rng } from "../tensor/random.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { onOtherKind } from "./other-adapter.fixture.ts";
import { planGraph } from "./planner.ts";

const labels = (...roots: Tensor[]): string[] => {
  const nodes = roots.map((t) => t.node);
  return planGraph(topologicalOrder(nodes), nodes, SOFTWARE_TRAITS).steps.map((s) => s.label);
};
const leaf = (...shape: number[]): Tensor => tensor(new Float32Array(shape.reduce((n, s) => n * s, 1)), { shape });

describe("reductions of rows with what feeds and reads them", () => {
  const x = leaf(64, 24);
  const weight = leaf(24);

  test.each<[string, () => Tensor]>([
    ["softmax", () => softmax(x)],
    ["log softmax of scaled scores", () => logSoftmax(x.mul(0.1).add(weight))],
    ["RMS norm and what follows", () => rmsNorm(x, weight).mul(leaf(64, 1)).silu()],
    ["layer norm of a sum", () => layerNorm(x.add(leaf(64, 24)), weight, leaf(24))],
    ["group norm", () => groupNorm(leaf(16, 8, 6, 6), 4, leaf(8), leaf(8))],
    ["group norm of a picture", () => groupNorm(leaf(1, 64, 96, 96), 32, leaf(64), leaf(64))],
    [
      "a number a row",
      () =>
        x
          .sub(x.max({ axis: 1, keepdim: true }))
          .exp()
          .sum({ axis: 1 })
          .log(),
    ],
  ])("%s: one dispatch", (_, make) => {
    expect(labels(make())).toHaveLength(1);
  });

  test("a gradient is one more, and one or two for each vector that is shared by the rows", () => {
    const square = leaf(24, 24);
    const network = (y: Tensor): Tensor => y.matmul(square).square().sum();
    const through = (y: Tensor): string[] =>
      labels(...grad(network(y), [x])).filter((label) => label.startsWith("rows") || label === "sum");
    expect(through(softmax(x))).toEqual(["rows: max, sum", "rows: sum"]);
    expect(through(rmsNorm(x, weight))).toEqual(["rows: sum", "rows: sum"]);
    expect(through(layerNorm(x, weight, weight))).toEqual(["rows: sum", "rows: sum"]);
  });

  test("few rows, and reductions of columns, keep their own kernels", () => {
    expect(labels(softmax(leaf(4, 24)))).toHaveLength(4);
    expect(labels(softmax(x, { axis: 0 }))).toHaveLength(4);
  });

  test("a chain of thousands of ops behind a reduction is planned", () => {
    let y = softmax(x);
    for (let i = 0; i < 20_000; i++) y = y.add(x);
    expect(labels(y)).toContain("rows: max, sum");
  });

  test("what waits for a group is left out of it", () => {
    const square = leaf(48, 48);
    const scaled = square.div(square.sum({ axis: 1, keepdim: true }));
    // the columns of the result are needed before its rows can be divided again
    const twice = scaled.mul(scaled.transpose().exp());
    expect(labels(twice)).toEqual(["rows: sum", "mul"]);
    const far = scaled.matmul(square).add(scaled);
    expect(labels(far)).toEqual(["rows: sum", "matmul"]);
  });
});

/** Something of the tensors made so far; `n` must be square for all to fit. */
const makers: ((a: Tensor, b: Tensor) => Tensor)[] = [
  (a, b) => a.add(b),
  (a, b) => a.mul(b).tanh(),
  (a) => a.sin(),
  (a, b) => a.mul(b.mean({ axis: 1, keepdim: true })),
  (a, b) => a.sub(b.max({ axis: 1, keepdim: true })),
  (a) => a.square().mean({ axis: 1, keepdim: true }).add(1).rsqrt().expand(a.shape),
  (a, b) => a.add(b.transpose().mul(0.5)),
  (a, b) => a.mul(b.sum({ axis: 0 }).tanh()),
  (a, b) => a.matmul(b).mul(0.1),
  (a, b) =>
    a
      .reshape([6, 8, 48])
      .sub(b.reshape([6, 8, 48]).min({ axis: 2, keepdim: true }))
      .reshape([48, 48]),
];

/** Results of a recipe, with what lies between computed at once or kernel by kernel. */
async function follow(recipe: readonly (readonly number[])[], stepwise: boolean): Promise<Float32Array[]> {
  const made = [new Rng(1).normal([48, 48]), new Rng(2).normal([48, 48])];
  for (const [maker = 0, a = 0, b = 0] of recipe) {
    const [x, y] = [made[a % made.length], made[b % made.length]];
    const make = makers[maker % makers.length];
    if (!x || !y || !make) throw new Error("a recipe names what is not there");
    const next = make(x, y);
    made.push(stepwise ? await next.realize() : next);
  }
  const results = made.slice(-3);
  await realize(results);
  return (await Promise.all(results.map((t) => t.data()))) as Float32Array[];
}

const largestDifference = (a: Float32Array, b: Float32Array): number =>
  a.reduce((worst, v, i) => Math.max(worst, Math.abs(v - (b[i] ?? NaN)) / (1 + Math.abs(v))), 0);

describe("a kernel over rows", () => {
  test("agrees with one kernel an op, whatever is mixed", async () => {
    const number = fc.nat(99);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(number, number, number), { minLength: 4, maxLength: 12 }), async (recipe) => {
        const [whole, parts] = [await follow(recipe, false), await follow(recipe, true)];
        whole.forEach((values, i) =>
          expect(largestDifference(values, parts[i] ?? new Float32Array())).toBeLessThan(1e-4),
        );
      }),
      { seed: 4, numRuns: 15 },
    );
  });

  test.each([
    ["shared by a workgroup", 512],
    ["shared, of a length that is no multiple", 1030],
    ["each by itself", 60],
  ])("as a GPU runs it, rows %s", async (_, length) => {
    const x = await new Rng(6).normal([70, length]).realize();
    const weight = await new Rng(7).normal([length]).realize();
    const results = async (): Promise<Float32Array[]> => {
      const y = layerNorm(x, weight);
      const list = [y, x.square().sum({ axis: 1 }).sqrt(), ...grad(softmax(y).mul(x).sum(), [x])];
      await realize(list);
      return (await Promise.all(list.map((t) => t.data()))) as Float32Array[];
    };
    const [own, other] = [await results(), await onOtherKind(results)];
    own.forEach((values, i) => expect(largestDifference(values, other[i] ?? new Float32Array())).toBeLessThan(2e-5));
  });

  test("long rows are summed in stretches: one dispatch, and no error that grows with them", async () => {
    const [rows, length] = [32, 40_010]; // no multiple of a stretch, nor of four
    const values = Float32Array.from({ length: rows * length }, (_, i) => 100 + Math.sin(i));
    const x = tensor(values, { shape: [rows, length] });
    const mean = x.mean({ axis: 1, keepdim: true });
    const deviation = x.sub(mean).square().mean({ axis: 1 });
    expect(labels(mean, deviation)).toHaveLength(1);
    await realize([mean, deviation]);
    const [means, deviations] = [await mean.data(), await deviation.data()];
    for (let row = 0; row < rows; row++) {
      const own = values.subarray(row * length, (row + 1) * length);
      const exact = own.reduce((sum, v) => sum + v, 0) / length;
      expect(Math.abs((means[row] ?? NaN) / exact - 1)).toBeLessThan(1e-6);
      const spread = own.reduce((sum, v) => sum + (v - exact) ** 2, 0) / length;
      expect(Math.abs((deviations[row] ?? NaN) / spread - 1)).toBeLessThan(1e-5);
    }
  });
});
