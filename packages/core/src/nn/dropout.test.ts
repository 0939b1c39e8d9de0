import { describe, expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { Rng } from "../tensor/random.ts";
import { ones } from "../tensor/create.ts";
import { realize } from "../tensor/tensor.ts";
import { Dropout } from "./dropout.ts";

describe("Dropout", () => {
  test("zeroes a share of the elements and keeps the mean, with the same mask for the gradient", async () => {
    const x = await ones([10000]).realize();
    const y = new Dropout(0.25, new Rng(3)).forward(x);
    const [dx] = grad(y.sum(), [x]);
    await realize([y, ...(dx ? [dx] : [])]);
    const values = await y.data();
    expect(new Set(values)).toEqual(new Set([0, Math.fround(4 / 3)]));
    // four standard errors, √(0.25 · 0.75 / 10000) each
    expect(Math.abs(values.filter((v) => v === 0).length / 10000 - 0.25)).toBeLessThan(0.018);
    expect(await dx?.data()).toEqual(values);
  });

  test("draws another mask a call", async () => {
    const dropout = new Dropout(0.5, new Rng(3));
    const [a, b] = [dropout.forward(ones([100])), dropout.forward(ones([100]))];
    expect(await a.data()).not.toEqual(await b.data());
  });

  test("is the identity in evaluation and for p = 0, and zeros for p = 1", async () => {
    const x = ones([4]);
    expect(new Dropout(0.5, new Rng(1)).eval().forward(x)).toBe(x);
    expect(new Dropout(0, new Rng(1)).forward(x)).toBe(x);
    expect(await new Dropout(1, new Rng(1)).forward(x).data()).toEqual(new Float32Array(4));
    expect(() => new Dropout(1.5, new Rng(1))).toThrow("Dropout: p must be in [0, 1], got 1.5");
  });
});
