import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { arange, tensor, zeros } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { EXACT, ROUNDING, type Tolerance } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { at, build, sample, sum, type Nd } from "../testing/nd.ts";
import { fold, pixelShuffle, pixelUnshuffle, unfold, type UnfoldOptions } from "./unfold.ts";

// an element lies in at most six patches
const PATCHES: { tolerance: Tolerance; gradientTolerance: Tolerance } = {
  tolerance: EXACT,
  gradientTolerance: ROUNDING,
};
const OPTIONS = { stride: [2, 1], padding: [1, 0], dilation: [1, 2] } as const;

/** Row and column that element k of patch l of a 3×2 kernel comes from, with OPTIONS, of a picture of `columns` patches a row. */
const source = (k: number, l: number, columns: number): [number, number] => [
  2 * Math.floor(l / columns) + Math.floor(k / 2) - 1,
  (l % columns) + 2 * (k % 2),
];

describeOp("unfold", (x) => unfold(x, [3, 2], OPTIONS), {
  cases: [{ x: [2, 3, 5, 4] }, { x: [1, 1, 1, 3] }, { x: [0, 2, 4, 4] }],
  reference: (x) => {
    const [b = 0, c = 0, h = 0, w = 0] = x.shape;
    const [rows, columns] = [Math.floor((h - 1) / 2) + 1, w - 2];
    return build([b, c * 6, rows * columns], ([i = 0, k = 0, l = 0]) => {
      const [row, column] = source(k % 6, l, columns);
      return row < 0 || row >= h ? 0 : at(x, [i, Math.floor(k / 6), row, column]);
    });
  },
  ...PATCHES,
  throws: [
    [{ x: [3, 5, 4] }, "unfold: a kernel of 3×2 must fit x [B, C, H, W], got [3, 5, 4]"],
    [{ x: [1, 3, 5, 2] }, "unfold: a kernel of 3×2 must fit x [B, C, H, W], got [1, 3, 5, 2]"],
  ],
});
describeOp("fold", (x) => fold(x, [5, 4], [3, 2], OPTIONS), {
  cases: [{ x: [2, 12, 6] }],
  reference: (x) =>
    build([2, 2, 5, 4], ([b = 0, c = 0, i = 0, j = 0]) =>
      sum(36, (n) => {
        const [k, l] = [Math.floor(n / 6), n % 6];
        const [row, column] = source(k, l, 2);
        return row === i && column === j ? at(x, [b, c * 6 + k, l]) : 0;
      }),
    ),
  tolerance: ROUNDING,
  throws: [
    [{ x: [2, 11, 6] }, "fold: x must be [B, C·6, L], got [2, 11, 6]"],
    [{ x: [12, 6] }, "fold: x must be [B, C·6, L], got [12, 6]"],
    [{ x: [2, 12, 5] }, "fold: x must be [2, 12, 6] for [5, 4], got [2, 12, 5]"],
  ],
});

describe("unfold and fold", () => {
  test("are each other's adjoint: ⟨unfold x, y⟩ = ⟨x, fold y⟩", async () => {
    const pair = (min: number, max: number): fc.Arbitrary<[number, number]> =>
      fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));
    const settings = fc.record({ kernel: pair(1, 3), stride: pair(1, 3), padding: pair(0, 2), dilation: pair(1, 2) });
    const leaf = ({ shape, data }: Nd): Tensor => tensor(Float32Array.from(data), { shape });
    const inner = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
      sum(a.length, (i) => (a[i] ?? 0) * (b[i] ?? 0));
    await fc.assert(
      fc.asyncProperty(settings, async ({ kernel, ...options }) => {
        const x = sample([2, 2, 5, 6], 1);
        const patches = unfold(leaf(x), kernel, options satisfies UnfoldOptions);
        const y = sample(patches.shape, 2);
        const image = fold(leaf(y), [5, 6], kernel, options);
        await realize([patches, image]);
        const [left, right] = [inner(await patches.data(), y.data), inner(x.data, await image.data())];
        // at most 2·120·9 products below 1, whose roundings add up like a random walk
        expect(Math.abs(left - right)).toBeLessThan(1e-4);
      }),
      { seed: 2, numRuns: 6 },
    );
  });

  test("fold of unfold without overlap is the picture", async () => {
    const x = arange(24).reshape([1, 1, 4, 6]);
    const y = fold(unfold(x, 2, { stride: 2 }), [4, 6], 2, { stride: 2 });
    expect(await y.data()).toEqual(await x.data());
  });
});

describeOp("pixelShuffle", (x) => pixelShuffle(x, 2), {
  cases: [{ x: [2, 8, 3, 2] }, { x: [1, 4, 1, 1] }, { x: [0, 4, 2, 2] }],
  reference: (x) => {
    const [b = 0, c = 0, h = 0, w = 0] = x.shape;
    return build([b, c / 4, 2 * h, 2 * w], ([n = 0, k = 0, i = 0, j = 0]) =>
      at(x, [n, 4 * k + 2 * (i % 2) + (j % 2), Math.floor(i / 2), Math.floor(j / 2)]),
    );
  },
  ...PATCHES,
  throws: [[{ x: [1, 6, 2, 2] }, "pixelShuffle: x must be [B, C·4, H, W], got [1, 6, 2, 2]"]],
});

test("pixelUnshuffle takes pixelShuffle back, and refuses sides that do not divide", async () => {
  const x = arange(2 * 9 * 2 * 3).reshape([2, 9, 2, 3]);
  expect(await pixelUnshuffle(pixelShuffle(x, 3), 3).data()).toEqual(await x.data());
  expect(pixelUnshuffle(zeros([1, 2, 4, 6]), 2).shape).toEqual([1, 8, 2, 3]);
  expect(() => pixelUnshuffle(zeros([1, 2, 4, 5]), 2)).toThrow(
    "pixelUnshuffle: x must be [B, C, H, W] with sides divisible by 2, got [1, 2, 4, 5]",
  );
});
