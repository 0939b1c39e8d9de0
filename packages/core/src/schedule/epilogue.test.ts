import { describe, expect, test } from "vitest";
import { conv1d, conv2d, conv3d, type ConvOptions } from "../ops/conv.ts";
import { Rng } from "../tensor/random.ts";
import { full, realize, type Tensor, where } from "../tensor/tensor.ts";
import { difference } from "../testing/allclose.ts";
import { onOtherKind } from "./other-adapter.fixture.ts";
import { planOf } from "./realize.ts";

const rng = new Rng(7);
const noise = (name: string, ...shape: number[]): Tensor => rng.fork(name).normal(shape);

interface Case {
  /** [..., m, k] · [k, n] or [..., k, n]. */
  readonly a: readonly number[];
  readonly b: readonly number[];
  /** What is made of the product, with the other tensors it needs. */
  readonly of: (product: Tensor, more: Record<"x" | "row" | "gate" | "other", Tensor>) => Tensor;
  /** Dispatches, the product's included. */
  readonly dispatches: number;
}

const A = [2, 12, 20];
const B = [2, 20, 24];

const CASES: Record<string, Case> = {
  "a residual and a gate": { a: A, b: B, of: (y, { x, gate }) => x.add(y.mul(gate)), dispatches: 1 },
  "a row and an activation": { a: A, b: B, of: (y, { row }) => y.add(row).gelu(), dispatches: 1 },
  "itself, twice": { a: A, b: B, of: (y) => y.sigmoid().mul(y), dispatches: 1 },
  "a reshape in between": {
    a: A,
    b: B,
    of: (y, { x }) =>
      y
        .reshape([24, 24])
        .neg()
        .add(x.reshape([24, 24])),
    dispatches: 1,
  },
  "a condition and infinity": { a: A, b: B, of: (y, { x }) => where(x.gt(0), y, -Infinity).exp(), dispatches: 1 },
  "a transposed view of another": { a: A, b: B, of: (y, { other }) => y.sub(other.transpose()), dispatches: 1 },
  "a padded tensor": {
    a: A,
    b: B,
    of: (y, { x }) =>
      y.add(
        x
          .slice(1, 0, 10)
          .pad(
            [
              [0, 0],
              [1, 1],
              [0, 0],
            ],
            Infinity,
          )
          .minimum(3),
      ),
    dispatches: 1,
  },
  "rows that are no fours": { a: A, b: [2, 20, 23], of: (y) => y.exp(), dispatches: 2 },
  nothing: { a: [0, 20], b: [20, 24], of: (y) => y.exp(), dispatches: 0 },
  "one row": { a: [1, 20], b: [20, 24], of: (y) => y.silu(), dispatches: 1 },
  "a long sum in parts": { a: [4, 2048], b: [2048, 8], of: (y) => y.mul(0.01).tanh(), dispatches: 3 },
  "a transposed product": { a: A, b: B, of: (y, { other }) => y.transpose().add(other), dispatches: 2 },
  "what a sum needs, too": { a: A, b: B, of: (y) => y.mul(2).add(y.sum({ axis: -1, keepdim: true })), dispatches: 3 },
};

const inputs = () => ({
  x: noise("x", 2, 12, 24),
  row: noise("row", 24),
  gate: noise("gate", 2, 1, 24),
  other: noise("other", 2, 24, 12),
});

/** The expression in one plan, and of a product that was stored. */
async function both({
  a,
  b,
  of,
}: Case): Promise<{ fused: ArrayLike<number>; apart: ArrayLike<number>; labels: readonly string[] }> {
  const more = inputs();
  const [left, right] = [noise("a", ...a), noise("b", ...b)];
  await realize([left, right, ...Object.values(more)]);
  const make = (): Tensor => of(left.matmul(right), more);
  const { labels } = await planOf([make()]);
  const product = await left.matmul(right).realize();
  return { fused: await make().data(), apart: await of(product, more).data(), labels };
}

// the same sums, then a few roundings that compilers may contract
const TOLERANCE = { absolute: 1e-6, relative: 1e-6 };

describe("a product's epilogue", () => {
  test.each(Object.entries(CASES))("%s: the values of a product that was stored", async (_, given) => {
    const { fused, apart, labels } = await both(given);
    expect(difference(fused, apart, TOLERANCE)).toBeNull();
    expect(labels).toHaveLength(given.dispatches);
  });

  test.each(["a residual and a gate", "a transposed view of another", "one row", "a long sum in parts"])(
    "%s: with the other kind of adapter's kernels",
    async (name) => {
      const given = CASES[name];
      if (!given) throw new Error(`no case ${name}`);
      const { fused, apart } = await onOtherKind(() => both(given));
      expect(difference(fused, apart, TOLERANCE)).toBeNull();
    },
  );

  test("is one product's of two that meet", async () => {
    const [x, gate, up] = [noise("x", 40, 32), noise("g", 32, 48), noise("u", 32, 48)];
    await realize([x, gate, up]);
    const make = (): Tensor => x.matmul(gate).silu().mul(x.matmul(up));
    expect((await planOf([make()])).labels).toEqual(["matmul", "matmul"]);
    const [g, u] = [await x.matmul(gate).realize(), await x.matmul(up).realize()];
    expect(difference(await make().data(), await g.silu().mul(u).data(), TOLERANCE)).toBeNull();
  });

  test("is nobody's where the product is wanted, too", async () => {
    const [a, b] = [noise("a", 12, 20), noise("b", 20, 24)];
    await realize([a, b]);
    const product = a.matmul(b);
    const [y] = [product.add(full([12, 24], 1))];
    expect((await planOf([product, y])).labels).toHaveLength(2);
    await realize([product, y]);
    expect(
      difference(
        await y.data(),
        (await product.data()).map((v) => v + 1),
        TOLERANCE,
      ),
    ).toBeNull();
  });
});

interface ConvCase {
  readonly conv: typeof conv2d;
  readonly x: readonly number[];
  readonly weight: readonly number[];
  readonly options?: ConvOptions;
  /** Whether what follows is stored by the convolution. */
  readonly finished: boolean;
}

const CONVS: Record<string, ConvCase> = {
  "over three axes": {
    conv: conv3d,
    x: [1, 8, 3, 7, 6],
    weight: [12, 8, 3, 3, 3],
    options: { padding: 1 },
    finished: true,
  },
  "with strides": { conv: conv2d, x: [2, 8, 9, 11], weight: [20, 8, 3, 3], options: { stride: 2 }, finished: true },
  "by groups": { conv: conv2d, x: [1, 16, 6, 7], weight: [24, 8, 3, 3], options: { groups: 2 }, finished: true },
  "a point wide": { conv: conv2d, x: [2, 8, 5, 6], weight: [12, 8, 1, 1], finished: true },
  "over one axis": { conv: conv1d, x: [2, 8, 30], weight: [16, 8, 5], options: { stride: 2 }, finished: true },
  "of odd channels": { conv: conv2d, x: [1, 3, 9, 9], weight: [6, 3, 3, 3], finished: false },
};

/** silu(conv(x)) with bias, plus a tensor of its shape. */
async function convolved({
  conv,
  x,
  weight,
  options = {},
}: ConvCase): Promise<Record<"fused" | "apart", ArrayLike<number>> & { labels: readonly string[] }> {
  const [left, right, bias] = [noise("x", ...x), noise("w", ...weight), noise("b", weight[0] ?? 1)];
  await realize([left, right, bias]);
  const product = await conv(left, right, bias, options).realize();
  const more = await noise("more", ...product.shape).realize();
  const make = (): Tensor => conv(left, right, bias, options).silu().add(more);
  const { labels } = await planOf([make()]);
  return { fused: await make().data(), apart: await product.silu().add(more).data(), labels };
}

describe("a convolution's epilogue", () => {
  test.each(Object.entries(CONVS))("%s: the values of a result that was stored", async (_, given) => {
    const { fused, apart, labels } = await convolved(given);
    expect(difference(fused, apart, TOLERANCE)).toBeNull();
    expect(labels.includes("add")).toBe(!given.finished);
  });

  test("over three axes: with the other kind of adapter's kernels", async () => {
    const given = CONVS["over three axes"];
    if (!given) throw new Error("no such case");
    const { fused, apart } = await onOtherKind(() => convolved(given));
    expect(difference(fused, apart, TOLERANCE)).toBeNull();
  });
});
