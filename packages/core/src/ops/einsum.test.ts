import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sizeOf } from "../base/shape.ts";
import { tensor, zeros } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectClose, ROUNDING, type Tolerance } from "../testing/allclose.ts";
import { describeOp, type OpCase } from "../testing/describe-op.ts";
import { at, build, coordinatesOf, sample, sum, type Nd } from "../testing/nd.ts";
import { einsum } from "./einsum.ts";

// at most 144 products of three numbers below 1
const SUMS: Tolerance = { absolute: 1e-5, relative: 1e-5 };

const leaf = ({ shape, data }: Nd): Tensor => tensor(Float32Array.from(data), { shape });

/** The definition: for each element of the result, the sum over all other letters of the product of the elements they name. */
function naive(equation: string, inputs: readonly Nd[]): Nd {
  const [sources = "", target = ""] = equation.split("->");
  const terms = sources.split(",").map((s) => s.split(""));
  const result = target.split("").filter((l) => l !== "");
  const size = (letter: string): number => {
    const found = terms.flatMap((t, i) => t.flatMap((l, a) => (l === letter ? [inputs[i]?.shape[a] ?? 1] : [])));
    return found.find((n) => n !== 1) ?? 1;
  };
  const summed = [...new Set(terms.flat())].filter((l) => !result.includes(l));
  const inner = summed.map(size);
  return build(result.map(size), (index) =>
    sum(sizeOf(inner), (i) => {
      const rest = coordinatesOf(inner, i);
      const place = (l: string): number =>
        (result.includes(l) ? index[result.indexOf(l)] : rest[summed.indexOf(l)]) ?? 0;
      return inputs.reduce((p, x, k) => p * at(x, (terms[k] ?? []).map(place)), 1);
    }),
  );
}

const check = (equation: string, ...cases: OpCase[]): void =>
  describeOp(
    `einsum ${equation}`,
    (...inputs) =>
      einsum(
        equation,
        inputs.filter((t) => t !== undefined),
      ),
    {
      cases,
      reference: (...inputs) => naive(equation, inputs),
      tolerance: SUMS,
    },
  );

check("bhqd,bhkd->bhqk", { q: [2, 3, 2, 5], k: [2, 3, 4, 5] });
check("ij,jk,kl->il", { a: [2, 3], b: [3, 4], c: [4, 5] });
check(
  "ij,jk->ik",
  { a: [2, 0], b: [0, 3] },
  { a: [2, 3], b: [3, 0] },
  { a: [0, 3], b: [3, 2] },
  { a: [1, 1], b: [1, 1] },
);
check("iji->ji", { x: [3, 2, 3] });
check("ij,i,j->", { a: [3, 4], u: [3], v: [4] });
check("ij,ij->ij", { a: [3, 1], b: [1, 4] });

describe("einsum", () => {
  test("equals the loop over all letters for random equations", async () => {
    const letters = fc.subarray(["a", "b", "c", "d"], { minLength: 1, maxLength: 3 });
    const SIZES: Record<string, number> = { a: 2, b: 3, c: 1, d: 4 };
    const shuffled = letters.chain((list) => fc.shuffledSubarray(list, { minLength: list.length }));
    const equations = fc
      .array(shuffled, { minLength: 1, maxLength: 3 })
      .chain((terms) => fc.tuple(fc.constant(terms), fc.shuffledSubarray([...new Set(terms.flat())])));
    await fc.assert(
      fc.asyncProperty(equations, async ([terms, result]) => {
        const inputs = terms.map((t, i) =>
          sample(
            t.map((l) => SIZES[l] ?? 1),
            i + 1,
          ),
        );
        const equation = `${terms.map((t) => t.join("")).join(",")}->${result.join("")}`;
        await expectClose(einsum(equation, inputs.map(leaf)), naive(equation, inputs), SUMS, equation);
      }),
      { seed: 11, numRuns: 14 },
    );
  });

  test("without an arrow keeps the letters that occur once, in alphabetical order", async () => {
    const [x, y] = [sample([2, 3], 1), sample([3, 4], 2)];
    await expectClose(einsum("ij,jk", [leaf(x), leaf(y)]), naive("ij,jk->ik", [x, y]), SUMS);
    await expectClose(einsum("ba", [leaf(x)]), naive("ba->ab", [x]), ROUNDING);
    await expectClose(einsum("i i", [leaf(sample([3, 3], 3))]), naive("ii->", [sample([3, 3], 3)]), SUMS);
  });

  test("broadcasts what the ellipsis stands for from the back", async () => {
    const [x, y] = [sample([5, 2, 3, 4], 1), sample([2, 4, 3], 2)];
    const expected = naive("abij,bjk->abik", [x, y]);
    await expectClose(einsum("...ij,...jk->...ik", [leaf(x), leaf(y)]), expected, SUMS);
    await expectClose(einsum("...ij,...jk", [leaf(x), leaf(y)]), expected, SUMS);
    const one = sample([1, 4, 3], 2);
    await expectClose(einsum("...ij,...jk->...ik", [leaf(x), leaf(one)]), naive("abij,bjk->abik", [x, one]), SUMS);
    await expectClose(einsum("i...->...i", [leaf(x)]), naive("iabc->abci", [x]), ROUNDING);
    await expectClose(einsum("...,...", [leaf(y), tensor(2)]), naive("abc,->abc", [y, build([], () => 2)]), ROUNDING);
  });

  test.each<[string, () => unknown, string]>([
    ["too few tensors", () => einsum("i,j", [zeros([2])]), 'einsum: "i,j" names 2 tensors, got 1'],
    ["too many", () => einsum("i", [zeros([2]), zeros([2])]), 'einsum: "i" names 1 tensors, got 2'],
    [
      "axes without a letter",
      () => einsum("i", [zeros([2, 3])]),
      'einsum: "i" must name each axis, got a tensor of [2, 3]',
    ],
    [
      "letters without an axis",
      () => einsum("...ij", [zeros([2])]),
      'einsum: "...ij" must name each axis, got a tensor of [2]',
    ],
    [
      "sizes that differ",
      () => einsum("ij,jk", [zeros([2, 3]), zeros([4, 2])]),
      'einsum: "j" of "ij,jk" must have one size, got 3 and 4',
    ],
    [
      "sizes that differ from zero",
      () => einsum("ij,jk", [zeros([2, 0]), zeros([4, 2])]),
      'einsum: "j" of "ij,jk" must have one size, got 0 and 4',
    ],
    [
      "a result from nowhere",
      () => einsum("ij->ik", [zeros([2, 3])]),
      'einsum: "k" of the result must name an axis of "ij"',
    ],
  ])("refuses %s", (_, make, message) => {
    expect(make).toThrow(message);
  });
});
