import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { arange, tensor, zeros } from "../tensor/create.ts";
import { concat, stack } from "../tensor/join.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { EXACT, expectClose, ROUNDING } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { at, build, type Nd } from "../testing/nd.ts";
import {
  diff,
  eye,
  flatten,
  linspace,
  meshgrid,
  moveAxis,
  padWith,
  range,
  roll,
  rot90,
  tile,
  unbind,
  unflatten,
  type PadMode,
} from "./movement.ts";

const MOVED = { tolerance: EXACT, gradientTolerance: ROUNDING } as const;
// gradients of repeated elements are sums of up to twelve
const REPEATED = { tolerance: EXACT, gradientTolerance: { absolute: 4e-6, relative: 4e-6 } } as const;
const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];
const mod = (i: number, n: number): number => ((i % n) + n) % n;

describeOp("roll", (x) => roll(x, [2, -1], [-1, 0]), {
  cases: [{ x: [3, 5] }, { x: [1, 2] }, { x: [0, 3] }],
  reference: (x) => {
    const [n = 0, m = 0] = x.shape;
    return build(x.shape, ([i = 0, j = 0]) => at(x, [mod(i + 1, n), mod(j - 2, m)]));
  },
  ...MOVED,
});
describeOp("diff", (x) => diff(x), {
  cases: [{ x: [2, 5] }, { x: [1] }, { x: [3, 0] }],
  reference: (x) => {
    const axis = x.shape.length - 1;
    return build([...x.shape.slice(0, -1), Math.max(0, (x.shape[axis] ?? 0) - 1)], (index) => {
      const [lead, i] = [index.slice(0, -1), index[axis] ?? 0];
      return at(x, [...lead, i + 1]) - at(x, [...lead, i]);
    });
  },
  tolerance: ROUNDING,
});
describeOp("diff, twice, of axis 0", (x) => diff(x, { times: 2, axis: 0 }), {
  cases: [{ x: [4, 2] }],
  reference: (x) => build([2, 2], ([i = 0, j = 0]) => at(x, [i + 2, j]) - 2 * at(x, [i + 1, j]) + at(x, [i, j])),
  tolerance: ROUNDING,
});
for (const turns of [-1, 0, 1, 2, 7])
  describeOp(`rot90 by ${turns}`, (x) => rot90(x, turns, [-1, 0]), {
    cases: [{ x: [2, 3] }],
    reference: (x) => {
      // from the last axis towards the first: element (i, j) goes to (j, n − 1 − i), as NumPy's axes (1, 0) have it
      let y = x;
      for (let t = 0; t < mod(turns, 4); t++) {
        const before = y;
        const [n = 0, m = 0] = before.shape;
        y = build([m, n], ([i = 0, j = 0]) => at(before, [n - 1 - j, i]));
      }
      return y;
    },
    ...MOVED,
  });
describeOp("tile", (x) => tile(x, [2, 1, 3]), {
  cases: [{ x: [2, 3, 2] }, { x: [3, 2] }, { x: [] }, { x: [0, 2] }],
  reference: (x) => {
    const shape = [...new Array<number>(3 - x.shape.length).fill(1), ...x.shape];
    const [a = 0, b = 0, c = 0] = shape;
    return build([2 * a, b, 3 * c], ([i = 0, j = 0, k = 0]) => at({ shape, data: x.data }, [i % a, j, k % c]));
  },
  ...REPEATED,
  throws: [[{ x: [1, 1, 1, 1] }, "tile: needs a whole number for each axis of [1, 1, 1, 1] at least, got [2, 1, 3]"]],
});
describeOp("moveAxis", (x) => moveAxis(x, 0, -2), {
  cases: [{ x: [2, 3, 4] }, { x: [2, 3] }],
  reference: (x) => {
    const [a = 0, b = 0, c = 0] = x.shape;
    return x.shape.length === 2 ? x : build([b, a, c], ([j = 0, i = 0, k = 0]) => at(x, [i, j, k]));
  },
  ...MOVED,
  throws: [[{ x: [3] }, "moveAxis: axis must be in [-1, 0] for 1 dimensions, got -2"]],
});

const PADS = [
  [2, 1],
  [0, 3],
] as const;
const SOURCES: Record<PadMode, (i: number, n: number) => number> = {
  constant: (i, n) => (i >= 0 && i < n ? i : NaN),
  replicate: (i, n) => Math.min(n - 1, Math.max(0, i)),
  // … 2 1 | 0 1 2 … n−1 | n−2 n−3 …
  reflect: (i, n) => (i < 0 ? -i : i < n ? i : 2 * (n - 1) - i),
  circular: mod,
};
for (const mode of ["constant", "replicate", "reflect", "circular"] as const)
  describeOp(`padWith ${mode}`, (x) => padWith(x, PADS, { mode, value: 1.5 }), {
    cases: [{ x: [4, 5] }, { x: [3, 4] }],
    reference: (x) => {
      const [n = 0, m = 0] = x.shape;
      return build([n + 3, m + 3], ([i = 0, j = 0]) => {
        const [row, column] = [SOURCES[mode](i - 2, n), SOURCES[mode](j, m)];
        return Number.isNaN(row + column) ? 1.5 : at(x, [row, column]);
      });
    },
    ...REPEATED,
  });
describeOp(
  "padWith of negative counts",
  (x) =>
    padWith(
      x,
      [
        [-1, 2],
        [1, -2],
      ],
      { mode: "replicate" },
    ),
  {
    cases: [{ x: [3, 4] }],
    reference: (x) => build([4, 3], ([i = 0, j = 0]) => at(x, [Math.min(2, i + 1), Math.max(0, j - 1)])),
    ...REPEATED,
  },
);

describe("round trips", () => {
  test("roll there and back, flip twice and permute back give x again", async () => {
    const shape = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 3, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(
        shape,
        fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })),
        fc.shuffledSubarray([0, 1, 2], { minLength: 3 }),
        async (sizes, shifts, order) => {
          const x = arange(sizes.reduce((n, s) => n * s, 1)).reshape(sizes);
          const back = order.map((_, i) => order.indexOf(i));
          const axes = order.slice(0, 2);
          const results = [
            roll(
              roll(x, shifts, axes),
              shifts.map((s) => -s),
              axes,
            ),
            x
              .flip(order[0] ?? 0)
              .flip(1)
              .flip(order[0] ?? 0)
              .flip(1),
            x.permute(order).permute(back),
            unflatten(flatten(x.permute(order), 0, 1), 0, [-1, sizes[order[1] ?? 0] ?? 1]).permute(back),
            moveAxis(moveAxis(x, order[0] ?? 0, order[1] ?? 0), order[1] ?? 0, order[0] ?? 0),
            stack(unbind(x, order[2]), { axis: order[2] ?? 0 }),
          ];
          await realize(results);
          const expected: Nd = { shape: sizes, data: Float64Array.from(await x.data()) };
          for (const [i, y] of results.entries()) await expectClose(y, expected, EXACT, `round trip ${i}`);
        },
      ),
      { seed: 8, numRuns: 6 },
    );
  });
});

describe("movements", () => {
  test("roll turns an axis by any number, forwards for positive ones", async () => {
    // numpy.roll's example
    const x = tensor([0, 1, 2, 3, 4]);
    expect(await values(roll(x, [2], [0]))).toEqual([3, 4, 0, 1, 2]);
    expect(await values(roll(x, [-12], [0]))).toEqual([2, 3, 4, 0, 1]);
    expect(() => roll(x, [1], [])).toThrow("roll: needs one shift an axis, got 1 shifts and 0 axes");
    expect(() => roll(x, [1], [1])).toThrow("roll: axis must be in [-1, 0] for 1 dimensions, got 1");
  });

  test("unbind gives the slices of an axis; none for an empty one", async () => {
    const parts = unbind(arange(6).reshape([2, 3]), -1);
    expect(await values(concat(parts))).toEqual([0, 3, 1, 4, 2, 5]);
    expect(parts.map((p) => p.shape)).toEqual([[2], [2], [2]]);
    expect(unbind(zeros([0, 3]))).toEqual([]);
    expect(() => unbind(zeros([2]), 1)).toThrow("unbind: axis must be in [-1, 0] for 1 dimensions, got 1");
  });

  test("flatten and unflatten name the axes they merge and split", () => {
    const x = zeros([2, 3, 4, 5]);
    expect(flatten(x).shape).toEqual([120]);
    expect(flatten(x, 1, -2).shape).toEqual([2, 12, 5]);
    expect(flatten(x, 2, 2).shape).toEqual([2, 3, 4, 5]);
    expect(flatten(zeros([])).shape).toEqual([1]);
    expect(() => flatten(x, 2, 1)).toThrow("flatten: start must not come after end, got 2 and 1");
    expect(unflatten(x, -2, [2, -1]).shape).toEqual([2, 3, 2, 2, 5]);
    expect(unflatten(x, 0, [1, 2, 1]).shape).toEqual([1, 2, 1, 3, 4, 5]);
    expect(() => unflatten(x, 1, [2, -1])).toThrow("reshape: [2, 2, 1.5, 4, 5] must hold the 120 elements");
  });

  test("meshgrid varies each vector along its own axis", async () => {
    const [a, b] = [tensor([1, 2]), tensor([5, 6, 7])];
    const grids = [...meshgrid([a, b]), ...meshgrid([a, b], { indexing: "xy" })];
    await realize(grids);
    expect(grids.map((g) => g.shape)).toEqual([
      [2, 3],
      [2, 3],
      [3, 2],
      [3, 2],
    ]);
    expect(await Promise.all(grids.map(values))).toEqual([
      [1, 1, 1, 2, 2, 2],
      [5, 6, 7, 5, 6, 7],
      [1, 2, 1, 2, 1, 2],
      [5, 5, 6, 6, 7, 7],
    ]);
    expect(meshgrid([])).toEqual([]);
  });

  test("linspace has both ends exactly, range stops before its end", async () => {
    expect(await values(linspace(-1, 2, 4))).toEqual([-1, 0, 1, 2]);
    const third = await values(linspace(0, 1 / 3, 7));
    expect([third[0], third[6]]).toEqual([0, Math.fround(1 / 3)]);
    expect(await values(linspace(3, 9, 1))).toEqual([3]);
    expect(linspace(0, 1, 0).shape).toEqual([0]);
    expect(await values(range(1, 2, 0.25))).toEqual([1, 1.25, 1.5, 1.75]);
    expect(await values(range(2, -1, -1.5))).toEqual([2, 0.5]);
    expect(range(3, 3).shape).toEqual([0]);
    expect(range(3, 4, -1).shape).toEqual([0]);
    expect(() => range(0, 1, 0)).toThrow("range: step must lead from start to end, got 0, 1 and 0");
    expect(() => range(0, Infinity)).toThrow("range: step must lead from start to end");
  });

  test("eye has ones on its diagonal, square or not", async () => {
    expect(await values(eye(2))).toEqual([1, 0, 0, 1]);
    expect(await values(eye(2, 3))).toEqual([1, 0, 0, 0, 1, 0]);
    expect(eye(0, 2).shape).toEqual([0, 2]);
  });

  test.each<[string, () => unknown, string]>([
    [
      "a mirror as long as the axis",
      () => padWith(zeros([3]), [[3, 0]], { mode: "reflect" }),
      "padWith: reflect padding must be shorter than axis 0 of 3, got [3, 0]",
    ],
    [
      "more than one turn",
      () =>
        padWith(
          zeros([2, 3]),
          [
            [0, 0],
            [1, 4],
          ],
          { mode: "circular" },
        ),
      "padWith: circular padding must be shorter than axis 1 of 3, got [1, 4]",
    ],
    [
      "the edge of nothing",
      () => padWith(zeros([0]), [[1, 0]], { mode: "replicate" }),
      "padWith: replicate padding must be shorter than axis 0 of 0, got [1, 0]",
    ],
    [
      "pads of some axes",
      () => padWith(zeros([2, 3]), [[1, 1]]),
      "padWith: needs [before, after] for each of 2 axes, got [[1,1]]",
    ],
    [
      "half an element",
      () => padWith(zeros([2]), [[0.5, 1]]),
      "padWith: needs [before, after] for each of 1 axes, got [[0.5,1]]",
    ],
  ])("padWith refuses %s", (_, make, message) => {
    expect(make).toThrow(message);
  });

  test("padWith leaves an axis alone that gets nothing, even an empty one", async () => {
    expect(
      padWith(
        zeros([0, 2]),
        [
          [0, 0],
          [1, 1],
        ],
        { mode: "reflect" },
      ).shape,
    ).toEqual([0, 4]);
    expect(await values(padWith(tensor([1, 2, 3]), [[-1, -1]]))).toEqual([2]);
    expect(await values(padWith(tensor([1, 2]), [[1, 0]], { value: -3 }))).toEqual([-3, 1, 2]);
  });
});
