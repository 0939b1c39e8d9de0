import { describe, expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { tensor, zeros } from "./create.ts";
import { realize, type Tensor } from "./tensor.ts";
import { expectClose, ROUNDING } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { at, build, sample, type Nd } from "../testing/nd.ts";

/** `f` of the values over some axes, which keep size 1. */
function reduced(x: Nd, axes: readonly number[], f: (values: number[]) => number): Nd {
  const inner = axes.map((a) => x.shape[a] ?? 1);
  const offsets = Array.from(build(inner, () => 0).data, (_, i) => {
    let rest = i;
    return axes
      .map((a) => x.shape[a] ?? 1)
      .reduceRight<number[]>((c, n) => {
        c.unshift(rest % n);
        rest = Math.floor(rest / n);
        return c;
      }, []);
  });
  const shape = x.shape.map((n, a) => (axes.includes(a) ? 1 : n));
  return build(shape, (index) =>
    f(
      offsets.map((o) =>
        at(
          x,
          index.map((c, a) => (axes.includes(a) ? (o[axes.indexOf(a)] ?? 0) : c)),
        ),
      ),
    ),
  );
}

const total = (values: number[]): number => values.reduce((a, b) => a + b, 0);
const mean = (values: number[]): number => total(values) / values.length;
const variance = (values: number[]): number => mean(values.map((v) => (v - mean(values)) ** 2));
const leaf = ({ shape, data }: Nd): Tensor => tensor(Float32Array.from(data), { shape });

/** All subsets of three axes. */
const SUBSETS = [[], [0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]] as const;

// sizes odd, whole vectors inside, whole vectors outside, ones, and long enough for two stages
const SHAPES = [
  [3, 5, 7],
  [2, 3, 8],
  [1, 4, 1],
  [130, 2, 3],
  [2, 130, 4],
] as const;

describe("reductions over every set of axes", () => {
  test.each(SHAPES.map((s) => [s]))("of %j", async (shape) => {
    const x = sample(shape, 3);
    const t = leaf(x);
    const results = SUBSETS.flatMap((axis) => [
      { name: `sum ${axis.join()}`, y: t.sum({ axis, keepdim: true }), expected: reduced(x, axis, total) },
      {
        name: `max ${axis.join()}`,
        y: t.max({ axis, keepdim: true }),
        expected: reduced(x, axis, (v) => Math.max(...v)),
      },
    ]);
    await realize(results.map((r) => r.y));
    for (const { name, y, expected } of results)
      await expectClose(y, expected, { absolute: 1e-5, relative: 1e-5 }, name);
  });

  test("drop the axes unless told to keep them; negative axes count from the back", () => {
    const x = zeros([2, 3, 4]);
    expect(x.sum().shape).toEqual([]);
    expect(x.sum({ axis: -1 }).shape).toEqual([2, 3]);
    expect(x.mean({ axis: [0, -1] }).shape).toEqual([3]);
    expect(x.max({ axis: 1, keepdim: true }).shape).toEqual([2, 1, 4]);
    expect(x.variance({ keepdim: true }).shape).toEqual([1, 1, 1]);
    expect(x.sum({ axis: [] }).shape).toEqual([2, 3, 4]);
  });
});

const SCATTERED_CASES = [{ x: [3, 4, 5] }, { x: [2, 66, 2] }];
describeOp("sum", (x) => x.sum({ axis: 1 }), {
  cases: SCATTERED_CASES,
  reference: (x) => ({ ...reduced(x, [1], total), shape: [x.shape[0] ?? 0, x.shape[2] ?? 0] }),
  tolerance: { absolute: 1e-5, relative: 1e-5 },
});
describeOp("mean", (x) => x.mean({ axis: [0, 2], keepdim: true }), {
  cases: SCATTERED_CASES,
  reference: (x) => reduced(x, [0, 2], mean),
  tolerance: ROUNDING,
});
describeOp("variance", (x) => x.variance({ axis: -1, keepdim: true }), {
  cases: SCATTERED_CASES,
  reference: (x) => reduced(x, [2], variance),
  tolerance: ROUNDING,
});
describeOp("min", (x) => x.min({ axis: [1, 2], keepdim: true }), {
  cases: SCATTERED_CASES,
  reference: (x) => reduced(x, [1, 2], (v) => Math.min(...v)),
  tolerance: ROUNDING,
});

describe("sums", () => {
  test("of a million numbers keep six digits", async () => {
    const n = 1_000_003;
    const values = Float32Array.from({ length: n }, (_, i) => 0.1 + ((i * 7919) % 1000) / 1000);
    const exact = values.reduce((sum, v) => sum + v, 0);
    const x = tensor(values);
    // one running f32 sum would be off by about n · 2⁻²⁵ of itself, 3 %
    expect(Math.abs((await x.sum().item()) / exact - 1)).toBeLessThan(1e-6);
    expect(Math.abs((await x.mean().item()) / (exact / n) - 1)).toBeLessThan(1e-6);
  });

  test("of a row of a million in a matrix, and of a million rows, agree", async () => {
    const x = tensor(Float32Array.from({ length: 1 << 20 }, (_, i) => (i % 17) - 8));
    const across = x.reshape([2, 1 << 19]).sum({ axis: 1 });
    const down = x.reshape([1 << 19, 2]).sum({ axis: 0 });
    await realize([across, down]);
    const [a = 0, b = 0] = await across.data();
    const [c = 0, d = 0] = await down.data();
    // whole numbers below 2^24: exact
    expect(a + b).toBe(c + d);
    expect(a + b).toBe(Array.from({ length: 1 << 20 }, (_, i) => (i % 17) - 8).reduce((s, v) => s + v));
  });

  test("of whole numbers and bools are whole", async () => {
    const i = tensor([2_000_000_000, 100, -5], { dtype: "i32" });
    expect([i.sum().dtype, await i.sum().item(), await i.max().item(), await i.min().item()]).toEqual([
      "i32",
      2_000_000_095,
      2_000_000_000,
      -5,
    ]);
    const b = tensor([1, 0, 1, 1], { dtype: "bool" });
    expect([b.sum().dtype, await b.sum().item()]).toEqual(["i32", 3]);
    const u = tensor(Uint32Array.of(4_000_000_000, 7));
    expect([await u.max().item(), await u.min().item()]).toEqual([4_000_000_000, 7]);
  });
});

describe("extrema", () => {
  test("of infinities are infinities", async () => {
    const x = tensor([-Infinity, -Infinity]);
    expect([await x.max().item(), await x.neg().min().item()]).toEqual([-Infinity, Infinity]);
  });

  test("of equal values share the gradient evenly", async () => {
    const x = tensor([3, 1, 3, 2]);
    const [dx] = grad(x.max(), [x]);
    expect(await dx?.data()).toEqual(Float32Array.of(0.5, 0, 0.5, 0));
  });

  test("of nothing are refused, but not where nothing is asked for", () => {
    expect(() => zeros([2, 0]).max({ axis: 1 })).toThrow("max: reduced axes must not be empty, got shape [2, 0]");
    expect(() => zeros([0]).min()).toThrow("min: reduced axes must not be empty, got shape [0]");
    expect(zeros([2, 0]).max({ axis: 0 }).shape).toEqual([0]);
  });
});
