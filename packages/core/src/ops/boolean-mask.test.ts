import { describe, expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { ShapeError } from "../base/errors.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { EXACT, ROUNDING } from "../testing/allclose.ts";
import { describeOp, scattered } from "../testing/describe-op.ts";
import { at, build, coordinatesOf, sample, type Nd } from "../testing/nd.ts";
import { maskedScatter, maskedSelect, nonzero } from "./boolean-mask.ts";

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];
const flags = (shape: readonly number[], seed: number): Nd => {
  const noise = sample(shape, seed);
  return { shape, data: noise.data.map((v) => Number(v > 0.2)) };
};
const bools = (x: Nd): Tensor => tensor(Uint32Array.from(x.data), { shape: x.shape, dtype: "bool" });

describe("maskedSelect", () => {
  test.each<[string, number[], number[], number[]]>([
    ["of one shape", [3, 5], [3, 5], [3, 5]],
    ["with a mask that broadcasts", [3, 5], [3, 1], [3, 5]],
    ["with an x that broadcasts", [4], [2, 3, 1], [2, 3, 4]],
    ["of more elements than one stretch of a scan", [40, 90], [40, 90], [40, 90]],
  ])("takes what the mask holds of, in order: %s", async (_, ofX, ofMask, shape) => {
    const [x, mask] = [sample(ofX, 1), flags(ofMask, 2)];
    const kept = build(shape, (index) => at(mask, index));
    const expected = [...build(shape, (index) => at(x, index)).data].filter((_v, i) => kept.data[i] === 1);
    expect(await values(await maskedSelect(scattered(x), bools(mask)))).toEqual(expected);
  });

  test("sends its gradient to what was taken, as often as it was", async () => {
    const x = tensor([[1], [2], [3]]);
    const y = await maskedSelect(
      x,
      tensor(
        [
          [1, 0, 1],
          [0, 0, 0],
          [0, 1, 0],
        ],
        { dtype: "bool" },
      ),
    );
    const [dx = zeros([])] = grad(y, [x], tensor([10, 20, 40]));
    await realize([y, dx]);
    expect([await values(y), await values(dx)]).toEqual([
      [1, 1, 3],
      [30, 0, 40],
    ]);
  });

  test("keeps the dtype, and takes nothing where nothing holds", async () => {
    const whole = tensor([5, 6, 7], { dtype: "i32" });
    const some = await maskedSelect(whole, tensor([0, 3, -1], { dtype: "i32" }));
    expect([some.dtype, await values(some)]).toEqual(["i32", [6, 7]]);
    const none = await maskedSelect(whole, zeros([3], "bool"));
    expect([none.dtype, none.shape]).toEqual(["i32", [0]]);
    expect((await maskedSelect(zeros([0, 2]), zeros([0, 2], "bool"))).shape).toEqual([0]);
    expect(await values(await maskedSelect(tensor(3), tensor(1, { dtype: "bool" })))).toEqual([3]);
    await expect(maskedSelect(whole, zeros([2], "bool"))).rejects.toThrow(ShapeError);
  });
});

describe("nonzero", () => {
  test("gives the coordinates of what is not zero, in row-major order", async () => {
    const x = flags([3, 4, 5], 4);
    const expected = [...x.data.keys()].filter((i) => x.data[i] === 1).map((i) => coordinatesOf(x.shape, i));
    const found = await nonzero(scattered(x));
    expect([found.dtype, found.shape]).toEqual(["i32", [expected.length, 3]]);
    expect(await values(found)).toEqual(expected.flat());
  });

  test("counts NaN, and knows scalars and empty tensors, as PyTorch does", async () => {
    expect(await values(await nonzero(tensor([0, NaN, -0, 2])))).toEqual([1, 3]);
    expect((await nonzero(tensor(7))).shape).toEqual([1, 0]);
    expect((await nonzero(tensor(0))).shape).toEqual([0, 0]);
    expect((await nonzero(zeros([0, 3]))).shape).toEqual([0, 2]);
    expect((await nonzero(zeros([2, 3]))).shape).toEqual([0, 2]);
  });
});

const HELD = flags([3, 4], 7);
const rank = (i: number): number => HELD.data.slice(0, i).reduce((a, b) => a + b, 0);
describeOp("maskedScatter", (x, source) => maskedScatter(x, bools(HELD), source), {
  cases: [
    { x: [3, 4], source: [20] },
    { x: [3, 4], source: [4, 3] },
  ],
  reference: (x, source) =>
    build(x.shape, ([i = 0, j = 0]) =>
      at(HELD, [i, j]) === 1 ? (source.data[rank(i * 4 + j)] ?? NaN) : at(x, [i, j]),
    ),
  tolerance: EXACT,
  gradientTolerance: ROUNDING,
  throws: [[{ x: [1, 4], source: [4] }, "maskedScatter: mask must broadcast to [1, 4], got [3, 4]"]],
});

describe("maskedScatter", () => {
  test("writes zeros behind the end of its source, and nothing where nothing holds", async () => {
    const x = tensor([1, 2, 3]);
    const y = maskedScatter(x, tensor([1, 0, 1], { dtype: "bool" }), tensor([7]));
    const same = maskedScatter(x, zeros([1], "bool"), tensor([7]));
    await realize([y, same]);
    expect([await values(y), await values(same)]).toEqual([
      [7, 2, 0],
      [1, 2, 3],
    ]);
    expect(maskedScatter(zeros([0]), zeros([0], "bool"), tensor([7])).shape).toEqual([0]);
  });
});
