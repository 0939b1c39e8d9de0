import { describe, expect, test } from "vitest";
import { SOFTWARE_TRAITS } from "../kernels/traits.fixture.ts";
import { topologicalOrder } from "../graph/node.ts";
import { linear } from "../ops/linear.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { concat } from "../tensor/join.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { planGraph } from "./planner.ts";
import type { PlanSpec } from "./spec.ts";

const plan = (...roots: Tensor[]): PlanSpec => {
  const nodes = roots.map((t) => t.node);
  return planGraph(topologicalOrder(nodes), nodes, SOFTWARE_TRAITS);
};
const labels = (...roots: Tensor[]): string[] => plan(...roots).steps.map((s) => s.label);
const leaf = (...shape: number[]): Tensor => tensor(new Float32Array(shape.reduce((n, s) => n * s, 1)), { shape });

describe("fusion", () => {
  test("a chain of elementwise ops is one dispatch, views, numbers and broadcasts included", () => {
    const x = leaf(4, 8);
    const y = x.add(leaf(8)).mul(2).exp().reshape([32]).sub(leaf(1)).reshape([2, 16]).mul(leaf(2, 1)).tanh();
    expect(labels(y)).toHaveLength(1);
  });

  test("what feeds a reduction, and what is padded or joined, runs inside it", () => {
    const x = leaf(4, 8);
    expect(labels(x.exp().mul(x).sum({ axis: 1 }))).toEqual(["sum"]);
    expect(labels(concat([x.exp(), x.mul(2)], { axis: 0 }))).toEqual(["concat", "concat"]);
    expect(
      labels(
        x
          .pad([
            [1, 0],
            [0, 0],
          ])
          .exp(),
      ),
    ).toEqual(["exp"]);
  });

  test("equal expressions are computed once", () => {
    const x = leaf(4, 8);
    const norm = (): Tensor => x.div(x.square().sum({ axis: 1, keepdim: true }).sqrt());
    expect(labels(norm().add(norm().exp()))).toEqual(labels(norm().add(norm().sin())));
    expect(plan(x.exp(), leaf(4, 8).exp()).steps).toHaveLength(2);
    expect(plan(x.exp(), x.exp()).steps).toHaveLength(1);
  });

  test("an expensive value with two readers gets a buffer, a cheap one is repeated", () => {
    const x = leaf(4, 8);
    const [dear, cheap] = [x.exp(), x.add(1)];
    expect(labels(dear.sum({ axis: 0 }), dear.sum({ axis: 1 }))).toEqual(["exp", "sum", "sum"]);
    expect(labels(cheap.sum({ axis: 0 }), cheap.sum({ axis: 1 }))).toEqual(["sum", "sum"]);
  });

  test("a root that is read again is computed once", () => {
    const y = leaf(64).exp();
    expect(labels(y, y.sin(), y.sum())).toEqual(["exp", "sin", "sum"]);
  });

  test("a bias joins its product", () => {
    expect(labels(linear(leaf(4, 8), leaf(3, 8), leaf(3)))).toEqual(["matmul"]);
  });

  test("nothing is dispatched for views, and nothing for results of no elements", () => {
    expect(plan(leaf(4, 8).slice(0, 1, 1).exp()).steps).toHaveLength(0);
    expect(labels(leaf(4, 8).transpose().reshape([4, 8]).matmul(leaf(8, 2)))).toEqual(["copy", "matmul"]);
    expect(labels(leaf(4, 8).transpose().matmul(leaf(4, 2)))).toEqual(["matmul"]);
  });
});

describe("bindings", () => {
  const MOST = 8;
  const widest = (...roots: Tensor[]): number => Math.max(...plan(...roots).steps.map((s) => s.values.length));

  test("an expression of more inputs than bindings is cut, as seldom as can be", () => {
    const inputs = Array.from({ length: 20 }, () => leaf(16));
    const total = inputs.reduce((a, b) => a.add(b));
    expect(widest(total)).toBeLessThanOrEqual(MOST);
    // each kernel takes in six more: 7 + 6 + 6 + 1
    expect(plan(total).steps.length).toBeLessThanOrEqual(4);
    expect(widest(total.sum())).toBeLessThanOrEqual(MOST);
    expect(widest(concat([total, leaf(3)]))).toBeLessThanOrEqual(MOST);
  });

  test("a buffer read by fours and by ones counts twice", () => {
    const inputs = Array.from({ length: 7 }, () => leaf(8, 8));
    const y = inputs.map((x) => x.mul(x.transpose())).reduce((a, b) => a.add(b));
    expect(widest(y)).toBeLessThanOrEqual(MOST);
  });

  test("one buffer read in many ways is still one or two", () => {
    const x = leaf(8, 8);
    const y = x
      .add(x.flip(0))
      .add(x.transpose())
      .add(x.slice(0, 0, 1))
      .add(x.slice(1, 2, 3));
    expect(plan(y).steps).toHaveLength(1);
    expect(widest(y)).toBeLessThanOrEqual(3);
  });
});

test("chains are cut before they overwhelm a compiler", () => {
  let y = leaf(16);
  for (let i = 0; i < 1000; i++) y = y.mul(1 + i / 1000);
  const { steps } = plan(y);
  expect(steps.length).toBe(8);
  for (const s of steps) expect(s.wgsl.length).toBeLessThan(12_000);
});

test("a deep sequence of layers shares a few slots", () => {
  let y = leaf(64, 64);
  for (let i = 0; i < 50; i++) y = y.matmul(leaf(64, 64)).silu();
  const spec = plan(y.sum());
  expect(spec.slots.filter((bytes) => bytes >= 64 * 64 * 4).length).toBeLessThanOrEqual(3);
});

test("the text of a kernel does not depend on sizes", () => {
  const text = (n: number): string[] =>
    plan(
      leaf(n, 4 * n)
        .exp()
        .sum({ axis: 0 }),
      zeros([n]).add(leaf(n, 1)),
    ).steps.map((s) => s.wgsl);
  expect(text(8)).toEqual(text(12));
});
