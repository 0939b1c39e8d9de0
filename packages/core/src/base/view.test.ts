import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sizeOf } from "./shape.ts";
import {
  collapse,
  contiguousView,
  expandView,
  isContiguous,
  permuteView,
  reshapeView,
  sliceView,
  type View,
} from "./view.ts";

const SEED = { seed: 11, numRuns: 300 };

/** Buffer index of every element of a view in row-major order: what a view means. */
function places({ shape, strides, offset }: View): number[] {
  return shape.reduceRight<number[]>(
    (inner, n, a) => Array.from({ length: n }, (_, i) => inner.map((at) => at + i * (strides[a] ?? 0))).flat(),
    [offset],
  );
}

const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });

/** A view reached by a permutation, a slice and perhaps an expansion. */
const views: fc.Arbitrary<View> = shapes.chain((shape) =>
  fc
    .record({
      order: fc.shuffledSubarray(
        shape.map((_, a) => a),
        { minLength: shape.length },
      ),
      starts: fc.tuple(...shape.map((n) => fc.integer({ min: 0, max: n - 1 }))),
      backwards: fc.tuple(...shape.map(() => fc.boolean())),
      repeat: fc.boolean(),
    })
    .map(({ order, starts, backwards, repeat }) => {
      const lengths = shape.map((n, a) => (backwards[a] ? (starts[a] ?? 0) + 1 : n - (starts[a] ?? 0)));
      const steps = backwards.map((b) => (b ? -1 : 1));
      const view = permuteView(sliceView(contiguousView(shape), lengths, starts, steps), order);
      const grown = view.shape.map((n) => (repeat && n === 1 ? 3 : n));
      return expandView(view, grown);
    }),
);

test("collapse keeps the places of all elements", () => {
  fc.assert(
    fc.property(views, (view) => {
      const { dims, strides, offset } = collapse(view);
      expect(places({ shape: dims, strides, offset })).toEqual(places(view));
      expect(dims.length).toBeLessThanOrEqual(view.shape.length);
    }),
    SEED,
  );
});

test("a contiguous view is one run of places", () => {
  fc.assert(
    fc.property(views, (view) => {
      const run = places(view).every((at, i) => at === view.offset + i);
      expect(isContiguous(view)).toBe(run);
    }),
    SEED,
  );
});

describe("reshapeView", () => {
  /** All shapes of a size, up to three axes, with a 1 here and there. */
  function shapesOf(size: number): number[][] {
    const found: number[][] = [[size], [1, size], [size, 1]];
    for (let a = 1; a <= size; a++)
      if (size % a === 0)
        for (let b = 1; b <= size / a; b++) if ((size / a) % b === 0) found.push([a, b, size / a / b]);
    return found;
  }

  test("keeps the places of all elements, and gives up only where no strides exist", () => {
    fc.assert(
      fc.property(views, fc.nat(), (view, pick) => {
        const options = shapesOf(sizeOf(view.shape));
        const shape = options[pick % options.length] ?? [];
        const seen = reshapeView(view, shape);
        const wanted = places(view);
        if (seen) {
          expect(seen.shape).toEqual(shape);
          expect(places(seen)).toEqual(wanted);
          return;
        }
        // strides are forced by the first two elements along each axis: check that they do not reproduce the view
        const strides = shape.map((n, a) => {
          const step = sizeOf(shape.slice(a + 1));
          return n === 1 ? 0 : (wanted[step] ?? 0) - (wanted[0] ?? 0);
        });
        expect(places({ shape, strides, offset: view.offset })).not.toEqual(wanted);
      }),
      SEED,
    );
  });

  test("of nothing is contiguous", () => {
    const empty = permuteView(contiguousView([2, 0, 3]), [2, 0, 1]);
    expect(reshapeView(empty, [0, 7])).toEqual({ shape: [0, 7], strides: [7, 1], offset: 0 });
  });
});
