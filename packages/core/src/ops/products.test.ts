import { expect, test } from "vitest";
import { tensor, zeros } from "../tensor/create.ts";
import { EXACT, ROUNDING } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { at, build, sum } from "../testing/nd.ts";
import { cross, diagEmbed, dot, kron, outer } from "./products.ts";

describeOp("outer", outer, {
  cases: [
    { a: [3], b: [4] },
    { a: [1], b: [2] },
    { a: [0], b: [2] },
  ],
  reference: (a, b) => build([a.data.length, b.data.length], ([i = 0, j = 0]) => at(a, [i]) * at(b, [j])),
  tolerance: ROUNDING,
  throws: [[{ a: [2, 1], b: [2] }, "outer: must be given vectors, got [2, 1] and [2]"]],
});
describeOp("dot", dot, {
  cases: [
    { a: [5], b: [5] },
    { a: [0], b: [0] },
  ],
  reference: (a, b) => ({ shape: [], data: Float64Array.of(sum(a.data.length, (i) => at(a, [i]) * at(b, [i]))) }),
  tolerance: ROUNDING,
  throws: [[{ a: [2], b: [3] }, "dot: vectors must share a length, got [2] and [3]"]],
});
describeOp("kron", kron, {
  cases: [
    { a: [2, 3], b: [3, 2] },
    { a: [2], b: [2, 1, 3] },
    { a: [1, 2], b: [] },
    { a: [0, 2], b: [3, 1] },
  ],
  reference: (a, b) => {
    const ndim = Math.max(a.shape.length, b.shape.length);
    const [ofA, ofB] = [a, b].map(({ shape }) => [...new Array<number>(ndim - shape.length).fill(1), ...shape]);
    return build(
      (ofA ?? []).map((n, i) => n * (ofB?.[i] ?? 1)),
      (index) => {
        const inner = (i: number): number => ofB?.[i] ?? 1;
        const [high, low] = [index.map((c, i) => Math.floor(c / inner(i))), index.map((c, i) => c % inner(i))];
        return at(a, high) * at(b, low);
      },
    );
  },
  tolerance: ROUNDING,
});
for (const axis of [-1, 0])
  describeOp(`cross of axis ${axis}`, (a, b) => cross(a, b, { axis }), {
    cases:
      axis === 0
        ? [{ a: [3, 2], b: [3, 1] }]
        : [
            { a: [2, 3], b: [2, 3] },
            { a: [3], b: [2, 4, 3] },
            { a: [0, 3], b: [3] },
          ],
    reference: (a, b) => {
      const shape = axis === 0 ? [3, 2] : b.shape.length > a.shape.length && a.data.length > 0 ? b.shape : a.shape;
      const place = axis === 0 ? 0 : shape.length - 1;
      return build(shape, (index) => {
        const part = (x: typeof a, i: number): number => at(x, index.with(place, (i + (index[place] ?? 0)) % 3));
        return part(a, 1) * part(b, 2) - part(a, 2) * part(b, 1);
      });
    },
    tolerance: ROUNDING,
    throws: [[{ a: [2, 4], b: [2, 4] }, `cross: axis ${axis} must have size 3, got [2, 4]`]],
  });
for (const offset of [0, 1, -2])
  describeOp(`diagEmbed ${offset}`, (x) => diagEmbed(x, offset), {
    cases: [{ x: [2, 3] }, { x: [1] }, { x: [2, 0] }],
    reference: (x) => {
      const n = (x.shape.at(-1) ?? 0) + Math.abs(offset);
      return build([...x.shape.slice(0, -1), n, n], (index) => {
        const [i = 0, j = 0] = index.slice(-2);
        return j - i === offset ? at(x, [...index.slice(0, -2), Math.min(i, j)]) : 0;
      });
    },
    tolerance: EXACT,
    gradientTolerance: ROUNDING,
  });
test("diagEmbed refuses a scalar, and keeps whole numbers", () => {
  expect(() => diagEmbed(tensor(1))).toThrow("diagEmbed: x must have an axis, got []");
  expect(diagEmbed(zeros([2], "i32")).dtype).toBe("i32");
});
