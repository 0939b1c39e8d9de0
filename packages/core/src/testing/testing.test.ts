import { describe, expect, test } from "vitest";
import { tensor } from "../tensor/create.ts";
import { allclose, difference, EXACT, expectClose } from "./allclose.ts";
import { gradcheck, numericGradient } from "./gradcheck.ts";
import { at, build, coordinatesOf, sample } from "./nd.ts";
import { matmul, zip } from "./reference.ts";

describe("arrays of the reference", () => {
  test("are row-major and broadcast from the back", () => {
    expect(coordinatesOf([2, 3], 4)).toEqual([1, 1]);
    const x = build([2, 3], ([i = 0, j = 0]) => 10 * i + j);
    expect([...x.data]).toEqual([0, 1, 2, 10, 11, 12]);
    expect(at(x, [7, 1, 2])).toBe(12);
    const row = build([1, 3], ([, j = 0]) => j);
    expect([...zip((a, b) => a + b, x, row).data]).toEqual([0, 2, 4, 10, 12, 14]);
  });

  test("samples repeat, lie in range and are f32", () => {
    const x = sample([50], 4, 2, 3);
    expect(sample([50], 4, 2, 3)).toEqual(x);
    expect(sample([50], 5, 2, 3)).not.toEqual(x);
    for (const v of x.data) expect(v >= 2 && v < 3 && Math.fround(v) === v).toBe(true);
  });

  test("multiply as matrices do", () => {
    const a = build([2, 2], ([i = 0, j = 0]) => 2 * i + j + 1);
    expect([...matmul(a, a).data]).toEqual([7, 10, 15, 22]);
  });
});

describe("difference", () => {
  test("names the element that is furthest off", () => {
    expect(difference([1, 2, 3.1, 4], [1, 2, 3, 4.01], { absolute: 1e-3, relative: 0 }, [2, 2])).toBe(
      "2 of 4 elements differ, most at [1, 0]: 3.1 where 3 was expected",
    );
  });

  test("takes NaN and infinities for what they are", () => {
    expect(difference([NaN, Infinity, -Infinity], [NaN, Infinity, -Infinity], EXACT)).toBeNull();
    expect(difference([NaN], [0], { absolute: 1, relative: 1 })).not.toBeNull();
    expect(difference([Infinity], [1], { absolute: 1, relative: 1 })).not.toBeNull();
    expect(allclose([1, 2], [1])).toBe(false);
  });

  test("compares shapes too", async () => {
    await expect(
      expectClose(
        tensor([1, 2]),
        build([1, 2], ([, j = 0]) => j + 1),
      ),
    ).rejects.toThrow("tensor: shape [2] where [1, 2] was expected");
  });
});

describe("gradient checks", () => {
  test("differences of a cubic are its derivative", () => {
    const x = sample([4], 1);
    const slopes = numericGradient(
      (inputs) => zip((v) => v ** 3, ...inputs),
      [x],
      0,
      build([4], () => 2),
    );
    expect(
      allclose(
        slopes.data,
        x.data.map((v) => 6 * v * v),
        { absolute: 1e-8, relative: 1e-8 },
      ),
    ).toBe(true);
  });

  test("passes a right gradient and finds a wrong one", async () => {
    const x = sample([3, 4], 2);
    await gradcheck((t) => t.sin().mul(t), [x]);
    // detach hides half of the product's gradient
    await expect(gradcheck((t) => t.mul(t.detach()), [x])).rejects.toThrow(
      "gradcheck: direction 0: the gradient gives",
    );
  });
});
