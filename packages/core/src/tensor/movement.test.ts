import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { expectClose, EXACT, ROUNDING } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { at, build, sample, withAxis, type Nd } from "../testing/nd.ts";
import { ones, tensor, zeros } from "./create.ts";
import { concat, stack } from "./join.ts";
import { realize, type Tensor } from "./tensor.ts";

const leaf = ({ shape, data }: Nd): Tensor => tensor(Float32Array.from(data), { shape });
const take = (index: readonly number[], a: number): number => index[a] ?? 0;

/** Reads where an element comes from: a movement is a map of coordinates. */
const moved = (x: Nd, shape: readonly number[], from: (index: readonly number[]) => readonly number[]): Nd =>
  build(shape, (index) => at(x, from(index)));

describeOp("permute", (x) => x.permute([2, 0, -2]), {
  cases: [{ x: [2, 3, 5] }, { x: [4, 4, 4] }, { x: [1, 3, 1] }],
  reference: (x) => moved(x, [x.shape[2] ?? 0, x.shape[0] ?? 0, x.shape[1] ?? 0], ([a = 0, b = 0, c = 0]) => [b, c, a]),
  tolerance: EXACT,
  gradientTolerance: ROUNDING,
});

describeOp("reshape after permute", (x) => x.transpose(0, 1).reshape([-1, 6]), {
  cases: [{ x: [3, 2, 4] }, { x: [6, 1, 1] }],
  reference: (x) => {
    const [a = 0, b = 0, c = 0] = x.shape;
    const flat = moved(x, [b, a, c], ([i = 0, j = 0, k = 0]) => [j, i, k]);
    return { shape: [(a * b * c) / 6, 6], data: flat.data };
  },
  tolerance: EXACT,
  gradientTolerance: ROUNDING,
});

describeOp("expand", (x) => x.expand([4, 3, 2, 5]), {
  cases: [{ x: [3, 1, 5] }, { x: [1, 1, 1, 1] }, { x: [2, 5] }],
  reference: (x) => build([4, 3, 2, 5], (index) => at(x, index)),
  tolerance: EXACT,
  gradientTolerance: { absolute: 1e-5, relative: 1e-5 },
});

describeOp("slice with steps, both axes", (x) => x.slice(0, 1, -1).slice(-1, 1, undefined, 3), {
  cases: [{ x: [5, 11] }, { x: [3, 2] }, { x: [6, 16] }],
  reference: (x) => {
    const [n = 0, m = 0] = x.shape;
    return moved(x, [n - 2, Math.ceil((m - 1) / 3)], ([i = 0, j = 0]) => [i + 1, 3 * j + 1]);
  },
  tolerance: EXACT,
  gradientTolerance: ROUNDING,
});

describeOp("flip", (x) => x.flip(-1).flip(0), {
  cases: [{ x: [3, 5] }, { x: [2, 8] }, { x: [1, 1] }],
  reference: (x) => moved(x, x.shape, ([i = 0, j = 0]) => [(x.shape[0] ?? 0) - 1 - i, (x.shape[1] ?? 0) - 1 - j]),
  tolerance: EXACT,
  gradientTolerance: ROUNDING,
});

const PADS = [
  [1, 2],
  [0, 0],
  [3, 0],
] as const;
describeOp("pad", (x) => x.pad(PADS, 7).mul(2), {
  cases: [{ x: [2, 3, 5] }, { x: [1, 4, 1] }],
  reference: (x) =>
    build(
      x.shape.map((n, a) => n + (PADS[a]?.[0] ?? 0) + (PADS[a]?.[1] ?? 0)),
      (index) => {
        const source = index.map((c, a) => c - (PADS[a]?.[0] ?? 0));
        return 2 * (source.every((c, a) => c >= 0 && c < (x.shape[a] ?? 0)) ? at(x, source) : 7);
      },
    ),
  tolerance: EXACT,
  gradientTolerance: ROUNDING,
});

describeOp("concat", (a, b, c) => concat([a, b.mul(2), c], { axis: -2 }), {
  cases: [
    { a: [2, 3, 5], b: [2, 1, 5], c: [2, 2, 5] },
    { a: [2, 4, 8], b: [2, 0, 8], c: [2, 4, 8] },
  ],
  reference: (a, b, c) => {
    const [n = 0, m = 0] = [a.shape[1], b.shape[1]];
    return build([2, n + m + (c.shape[1] ?? 0), a.shape[2] ?? 0], (index) => {
      const j = take(index, 1);
      if (j < n) return at(a, index);
      return j < n + m ? 2 * at(b, withAxis(index, 1, j - n)) : at(c, withAxis(index, 1, j - n - m));
    });
  },
  tolerance: EXACT,
  gradientTolerance: ROUNDING,
});

describeOp("stack", (a, b) => stack([a, b], { axis: -1 }), {
  cases: [
    { a: [3, 2], b: [3, 2] },
    { a: [], b: [] },
  ],
  reference: (a, b) => build([...a.shape, 2], (index) => at(index.at(-1) === 0 ? a : b, index.slice(0, -1))),
  tolerance: EXACT,
  gradientTolerance: ROUNDING,
});

describeOp("repeat", (x) => x.repeat(3, -1), {
  cases: [{ x: [2, 5] }, { x: [3, 4] }],
  reference: (x) => moved(x, withAxis(x.shape, 1, 3 * (x.shape[1] ?? 0)), ([i = 0, j = 0]) => [i, Math.floor(j / 3)]),
  tolerance: EXACT,
  gradientTolerance: { absolute: 1e-6, relative: 1e-6 },
});

describeOp("split, reordered", (x) => concat(x.split([1, 3, 2], 1).reverse(), { axis: 1 }), {
  cases: [{ x: [3, 6] }],
  reference: (x) => moved(x, x.shape, ([i = 0, j = 0]) => [i, [4, 5, 1, 2, 3, 0][j] ?? 0]),
  tolerance: EXACT,
  gradientTolerance: ROUNDING,
});

describe("chunk and split", () => {
  test("chunks are equal but the last, as in PyTorch", () => {
    expect(
      zeros([5, 2])
        .chunk(2)
        .map((t) => t.shape),
    ).toEqual([
      [3, 2],
      [2, 2],
    ]);
    expect(
      zeros([2, 5])
        .chunk(4, -1)
        .map((t) => t.shape),
    ).toEqual([
      [2, 2],
      [2, 2],
      [2, 1],
    ]);
    expect(
      zeros([6])
        .chunk(1)
        .map((t) => t.shape),
    ).toEqual([[6]]);
  });

  test("pieces joined are the whole, and so are their gradients", async () => {
    const x = leaf(sample([4, 9], 2));
    const pieces = x.split([2, 3, 4], 1);
    const y = concat(pieces, { axis: 1 });
    const [dx] = grad(
      concat(
        pieces.map((p, i) => p.mul(i + 1)),
        { axis: 1 },
      ).sum(),
      [x],
    );
    await realize([y, ...(dx ? [dx] : [])]);
    expect(await y.data()).toEqual(await x.data());
    if (dx)
      await expectClose(
        dx,
        build([4, 9], ([, j = 0]) => (j < 2 ? 1 : j < 5 ? 2 : 3)),
      );
  });
});

describe("chains of views", () => {
  type Step = (x: Tensor, n: Nd) => [Tensor, Nd];
  const step = fc.constantFrom<Step>(
    (x, n) => {
      const order = n.shape.map((_, a) => (a + 1) % n.shape.length);
      return [
        x.permute(order),
        moved(
          n,
          order.map((a) => n.shape[a] ?? 1),
          (index) => order.map((_, a) => take(index, order.indexOf(a))),
        ),
      ];
    },
    (x, n) => {
      const flat = n.data.length;
      const shape = flat % 2 === 0 ? [2, flat / 2] : [flat];
      return [x.reshape(shape), { shape, data: n.data }];
    },
    (x, n) => [x.flip(0), moved(n, n.shape, (index) => withAxis(index, 0, (n.shape[0] ?? 0) - 1 - take(index, 0)))],
    (x, n) => {
      const end = Math.max(1, (n.shape[0] ?? 1) - 1);
      return [x.slice(0, 0, end), moved(n, withAxis(n.shape, 0, end), (index) => index)];
    },
    (x, n) => {
      const length = Math.ceil((n.shape.at(-1) ?? 0) / 2);
      const last = n.shape.length - 1;
      return [
        x.slice(-1, 0, undefined, 2),
        moved(n, withAxis(n.shape, last, length), (index) => withAxis(index, last, 2 * take(index, last))),
      ];
    },
    (x, n) => [x.unsqueeze(-1).expand([...n.shape, 2]), build([...n.shape, 2], (index) => at(n, index.slice(0, -1)))],
    (x, n) => [
      x.pad(
        n.shape.map((_, a) => (a === 0 ? [1, 0] : [0, 0])),
        -1,
      ),
      build(withAxis(n.shape, 0, (n.shape[0] ?? 0) + 1), (index) =>
        index[0] === 0 ? -1 : at(n, withAxis(index, 0, take(index, 0) - 1)),
      ),
    ],
    (x, n) => [x.add(1), { shape: n.shape, data: n.data.map((v) => Math.fround(v + 1)) }],
  );

  test("of any make and length hold the right elements", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 3, maxLength: 6 }),
        fc.constantFrom([2, 3, 4], [5, 3], [8, 4]),
        async (steps, shape) => {
          const start = sample(shape, 5);
          const [y, expected] = steps.reduce<[Tensor, Nd]>(([x, n], next) => next(x, n), [leaf(start), start]);
          await expectClose(y, expected, ROUNDING);
          // again as the operand of an expression and of a reduction
          const both = y.mul(2).sum();
          expect(Math.abs((await both.item()) - 2 * expected.data.reduce((a, b) => a + b, 0))).toBeLessThan(1e-3);
        },
      ),
      { seed: 3, numRuns: 15 },
    );
  });
});

test("indices of a large permutation stay right past 2^16 rows", async () => {
  const x = tensor(
    Float32Array.from({ length: 70_000 * 3 }, (_, i) => i),
    { shape: [70_000, 3] },
  );
  const y = await x.permute([1, 0]).mul(1).data();
  for (const i of [0, 1, 69_999, 70_000, 139_999, 209_999])
    expect(y[i]).toBe((i % 70_000) * 3 + Math.floor(i / 70_000));
});

test("an op over more than 65,535 workgroups reaches every element", async () => {
  // four elements an invocation, 64 invocations a workgroup: 65,535 workgroups hold 16,776,960 elements
  const n = 65_535 * 64 * 4 + 260;
  const x = ones([1])
    .add(tensor([1]))
    .expand([n])
    .add(ones([1]));
  const y = await x.realize();
  const parts = await Promise.all([y.sum().item(), y.slice(0, n - 3).data(), y.slice(0, 0, 2).data()]);
  y.dispose();
  expect(parts[0]).toBe(Math.fround(3 * n));
  expect([...parts[1], ...parts[2]]).toEqual([3, 3, 3, 3, 3]);
});

describe("shape errors of movement", () => {
  const x = zeros([2, 3, 4]);
  test.each<[string, () => unknown, string]>([
    ["reshape", () => x.reshape([5, 5]), "reshape: [5, 5] must hold the 24 elements of [2, 3, 4]"],
    [
      "reshape with two unknowns",
      () => x.reshape([-1, -1]),
      "reshape: [-1, -1] must hold the 24 elements of [2, 3, 4]",
    ],
    ["reshape with a remainder", () => x.reshape([-1, 5]), "reshape: [-1, 5] must hold the 24 elements of [2, 3, 4]"],
    ["permute", () => x.permute([0, 1]), "permute: order must name each of 3 axes once, got [0, 1]"],
    [
      "permute twice the same",
      () => x.permute([0, 1, -2]),
      "permute: order must name each of 3 axes once, got [0, 1, -2]",
    ],
    ["expand", () => x.expand([2, 3, 5]), "expand: [2, 3, 4] must broadcast to [2, 3, 5]"],
    ["squeeze", () => x.squeeze(1), "squeeze: axis 1 must have size 1, got shape [2, 3, 4]"],
    ["slice by nothing", () => x.slice(0, 0, 2, 0), "slice: step must be a whole number of at least 1, got 0"],
    ["slice off the grid", () => x.slice(0, 0.5), "slice: start and end must be whole numbers, got 0.5 and undefined"],
    [
      "pad too few axes",
      () => x.pad([[1, 1]]),
      "pad: must be one [before, after] of whole numbers an axis (3), got [[1,1]]",
    ],
    [
      "pad less than nothing",
      () =>
        x.pad([
          [0, 0],
          [0, -1],
          [0, 0],
        ]),
      "pad: must be one [before, after]",
    ],
    ["chunk", () => x.chunk(0), "chunk: count must be a whole number of at least 1, got 0"],
    ["split", () => x.split([1, 3], 1), "split: sizes must add up to 3, got [1, 3]"],
    [
      "split by less than nothing",
      () => x.split([-1, 4], 1),
      "split: sizes must be whole numbers of at least 0, got [-1, 4]",
    ],
    [
      "concat",
      () => concat([x, zeros([2, 2, 4])], { axis: 0 }),
      "concat: tensors must agree but in axis 0, got f32 [2, 3, 4] and f32 [2, 2, 4]",
    ],
    ["concat of two dtypes", () => concat([x, zeros([2, 3, 4], "i32")]), "concat: tensors must agree but in axis 0"],
    ["concat of nothing", () => concat([]), "concat: needs at least one tensor"],
    ["stack", () => stack([x, zeros([2, 3])]), "concat: tensors must agree but in axis 0"],
    ["repeat", () => x.repeat(-1, 0), "expand: sizes must be whole numbers of at least 0"],
    ["add", () => x.add(zeros([3])), "add: shapes must broadcast, got [2, 3, 4] and [3]"],
  ])("%s", (_, make, message) => {
    expect(make).toThrow(message);
  });
});
