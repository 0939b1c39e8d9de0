import { describe, expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { DTypeError, ShapeError } from "../base/errors.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { scattered } from "../testing/describe-op.ts";
import { sample } from "../testing/nd.ts";
import { bincount, histc } from "./histogram.ts";

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];
const ids = tensor([4, 1, 1, 0, 4, 4], { dtype: "i32" });

describe("bincount", () => {
  test("counts each whole number up to the largest, at least as many as asked for", async () => {
    const counts = await bincount(ids);
    expect([counts.dtype, await values(counts)]).toEqual(["i32", [1, 2, 0, 0, 3]]);
    expect(await values(await bincount(ids, { minLength: 7 }))).toEqual([1, 2, 0, 0, 3, 0, 0]);
    expect((await bincount(zeros([0], "u32"))).shape).toEqual([0]);
    expect(await values(await bincount(zeros([0], "u32"), { minLength: 2 }))).toEqual([0, 0]);
    expect(await values(await bincount(tensor([-1, 1], { dtype: "i32" })))).toEqual([0, 1]);
  });

  test("adds weights, and gives them its gradient", async () => {
    const weights = tensor([1, 2, 3, 4, 5, 6]);
    const sums = await bincount(ids, { weights });
    const [dw = zeros([])] = grad(sums, [weights], tensor([1, 10, 0, 0, 100]));
    await realize([sums, dw]);
    expect([sums.dtype, await values(sums)]).toEqual(["f32", [4, 5, 0, 0, 12]]);
    expect(await values(dw)).toEqual([100, 10, 10, 1, 100, 100]);
  });

  test("refuses what is no list of ids", async () => {
    await expect(bincount(zeros([2]))).rejects.toThrow(DTypeError);
    await expect(bincount(ids, { weights: zeros([5]) })).rejects.toThrow(ShapeError);
  });
});

describe("histc", () => {
  test("counts the elements of each bin", async () => {
    const x = sample([7, 9], 3);
    const counts = await values(histc(scattered(x), { bins: 4, min: -0.5, max: 0.5 }));
    expect(counts).toEqual(
      [-0.5, -0.25, 0, 0.25].map((low) => x.data.filter((v) => v >= low && v < low + 0.25).length),
    );
  });

  test("reaches from the smallest to the largest without bounds, the last bin with its end", async () => {
    expect(await values(histc(tensor([1, 2, 1, 4, 5]), { bins: 4 }))).toEqual([2, 1, 0, 2]);
    // as torch does, by one to both sides of equal elements
    expect(await values(histc(tensor([3, 3]), { bins: 2 }))).toEqual([0, 2]);
    expect(await values(histc(zeros([0]), { bins: 2 }))).toEqual([0, 0]);
    expect(await values(histc(tensor([NaN, 0, 9]), { bins: 2, min: 0, max: 1 }))).toEqual([1, 0]);
  });

  test("refuses bins and bounds that make none", () => {
    expect(() => histc(zeros([2]), { bins: 0 })).toThrow(ShapeError);
    expect(() => histc(zeros([2]), { min: 1, max: 0 })).toThrow(ShapeError);
    expect(() => histc(zeros([2], "i32"))).toThrow(DTypeError);
  });
});
