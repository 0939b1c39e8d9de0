import { describe, expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { ShapeError } from "../base/errors.ts";
import { sizeOf } from "../base/shape.ts";
import { getDevice } from "../runtime/index.ts";
import { planCacheOf } from "../schedule/realize.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { ROUNDING } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { zip } from "../testing/reference.ts";
import { defineOp, type OpDefinition } from "./define-op.ts";
import { wgslProgram } from "./wgsl-program.ts";

type Scaled = { readonly scale: number };
const zero = tensor(0);
const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];
const labels = async (): Promise<readonly string[]> => planCacheOf(await getDevice()).plans.at(-1)?.labels ?? [];

const infer: OpDefinition<Scaled>["infer"] = ([x]) => {
  if (!x || x.shape.length === 0) throw new ShapeError("cube: x must have an axis");
  return { shape: x.shape, dtype: "f32" };
};
const compose: NonNullable<OpDefinition<Scaled>["compose"]> = ([x = zero], { scale }) => x.square().mul(x).mul(scale);
const kernel: NonNullable<OpDefinition<Scaled>["kernel"]> = ([x], { scale }) =>
  wgslProgram({
    label: "cube kernel",
    inputs: [{ name: "x", type: "f32" }],
    output: { name: "y", type: "f32" },
    numbers: { scale },
    count: sizeOf(x?.shape ?? []),
    body: "y[g] = scale * x[g] * x[g] * x[g];",
  });
const vjp: NonNullable<OpDefinition<Scaled>["vjp"]> = (dy, [x = zero], _, { scale }) => [
  dy.mul(x.square()).mul(3 * scale),
];
const common = { name: "cube", attrs: { scale: 2 }, infer };

const VARIANTS: Record<string, OpDefinition<Scaled>> = {
  "by compose alone": { ...common, compose },
  "by compose, with a rule for its gradient": { ...common, compose, vjp },
  "by a kernel alone": { ...common, kernel, vjp },
  "by both, the gradient through compose": { ...common, compose, kernel },
  "by both, the gradient by its rule": { ...common, compose, kernel, vjp },
  "by both, where the kernel does not suit": { ...common, compose, kernel: () => null },
};
for (const [name, definition] of Object.entries(VARIANTS)) {
  const cube = defineOp(definition);
  describeOp(`an op ${name}`, (x) => cube([x], { scale: 0.5 }), {
    cases: [{ x: [3, 5] }, { x: [0, 2] }],
    reference: (x) => zip((v) => 0.5 * v ** 3, x),
    tolerance: ROUNDING,
    throws: [[{ x: [] }, "cube: x must have an axis"]],
  });
}

describe("defineOp", () => {
  test("runs the kernel where it gives a program, and the definition where it gives none", async () => {
    const x = tensor([1, 2, 3]);
    expect(await values(defineOp({ ...common, compose, kernel })([x]))).toEqual([2, 16, 54]);
    expect(await labels()).toEqual(["cube kernel"]);
    const small = defineOp({
      ...common,
      compose,
      kernel: (inputs, attrs, device) => (sizeOf(inputs[0]?.shape ?? []) > 2 ? kernel(inputs, attrs, device) : null),
    });
    expect(await values(small([x.slice(0, 1)]))).toEqual([16, 54]);
    expect(await labels()).not.toContain("cube kernel");
    expect(await values(small([x]))).toEqual([2, 16, 54]);
    expect(await labels()).toContain("cube kernel");
  });

  test("prefers a rule to the gradient of its definition", async () => {
    // a rule that is wrong on purpose: the slope it gives is 100 everywhere
    const rule: OpDefinition<Scaled>["vjp"] = (dy) => [dy.mul(100)];
    for (const definition of [{ compose }, { kernel }, { compose, kernel }, { compose, kernel: () => null }]) {
      const x = tensor([1, 2]);
      const [dx = zero] = grad(defineOp({ ...common, ...definition, vjp: rule })([x]), [x]);
      expect(await values(dx)).toEqual([100, 100]);
    }
  });

  test("without a rule or a definition there is no gradient", async () => {
    const x = tensor([1, 2]);
    const [dx = zero] = grad(defineOp({ ...common, kernel })([x]).add(x), [x]);
    expect(await values(dx)).toEqual([1, 1]);
  });

  test("takes several inputs of which some have no gradient, and attributes by name", async () => {
    const pick = defineOp({
      name: "pick",
      attrs: { first: 0, second: 0 },
      infer: ([x, ids]) => ({ shape: ids?.shape ?? [], dtype: x?.dtype ?? "f32" }),
      kernel: ([, ids], { first, second }) =>
        wgslProgram({
          label: "pick",
          inputs: [
            { name: "x", type: "f32" },
            { name: "ids", type: "i32" },
          ],
          output: { name: "y", type: "f32" },
          numbers: { first, second },
          sizes: { last: sizeOf(ids?.shape ?? []) - 1 },
          count: sizeOf(ids?.shape ?? []),
          functions: "fn plus(a: f32, b: f32) -> f32 { return a + b; }",
          body: "y[g] = plus(x[ids[g]] + 10.0 * first, 100.0 * second); if (g == last) { y[g] = -1.0; }",
        }),
      vjp: (dy) => [dy, null],
    });
    const x = tensor([1, 2, 3]);
    const ids = tensor([2, 0, 1], { dtype: "i32" });
    expect(await values(pick([x, ids], { second: 1 }))).toEqual([103, 101, -1]);
    expect(await values(pick([x, ids], { first: 1, second: 2 }))).toEqual([213, 211, -1]);
    const [dx = zero] = grad(pick([x, ids]), [x]);
    expect(await values(dx)).toEqual([1, 1, 1]);
  });

  test("in a larger graph, with its own result as input and as the only root", async () => {
    const cube = defineOp({ ...common, compose, kernel });
    const x = tensor([1, 2]);
    const y = cube([cube([x.add(0)], { scale: 1 }).sub(1)]).add(x);
    const [dx = zero] = grad(y, [x]);
    await realize([y, dx]);
    // 2 (x³ − 1)³ + x, and its slope 18 x² (x³ − 1)² + 1
    expect(await values(y)).toEqual([1, 688]);
    expect(await values(dx)).toEqual([1, 18 * 4 * 49 + 1]);
  });

  test("says what is wrong with a definition", async () => {
    expect(() => defineOp(common)).toThrow("defineOp: cube must have compose or kernel, got neither");
    const x = tensor([1, 2]);
    const other = defineOp({ ...common, compose: ([t = zero]) => t.sum() });
    expect(() => other([x])).toThrow("cube: compose must give f32 [2] as infer says, got f32 []");
    const whole = defineOp({ ...common, compose: ([t = zero]) => t.cast("i32") });
    expect(() => whole([x])).toThrow("cube: compose must give f32 [2] as infer says, got i32 [2]");
    await expect(defineOp({ ...common, kernel: () => null })([x]).data()).rejects.toThrow(
      "cube: its kernel must run on this adapter, or it needs a compose; it gave null",
    );
    expect(() =>
      defineOp({
        name: "none",
        infer: () => ({ shape: [], dtype: "f32" }),
        compose: () => zeros([]),
        kernel: () => null,
      })([]),
    ).toThrow("none: an op with a kernel or a rule must have inputs");
  });
});
