import { describe, expect, test } from "vitest";
import { median, quantile, ratioOfMedians } from "./statistics.ts";

describe("median", () => {
  test("is the middle value, or between the two in the middle", () => {
    expect(median([5, 1, 3])).toBe(3);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  test("ignores one slow round", () => {
    expect(median([10, 11, 900])).toBe(11);
  });

  test("of nothing is NaN", () => {
    expect(median([])).toBeNaN();
  });
});

describe("quantile", () => {
  test("lies between neighbours in a straight line", () => {
    expect(quantile([0, 10], 0.25)).toBe(2.5);
    expect(quantile([7], 0.9)).toBe(7);
  });
});

describe("ratioOfMedians", () => {
  test("is the ratio of the medians, within its interval", () => {
    const fast = [10, 12, 11, 10, 11, 13, 10];
    const slow = fast.map((ms) => 3 * ms);
    const { value, low, high } = ratioOfMedians(slow, fast);
    // pairs keep the ratio whichever rounds are drawn
    expect([value, low, high]).toEqual([3, 3, 3]);
  });

  test("has an interval that widens with scatter", () => {
    const steady = ratioOfMedians([20, 20, 21, 20, 20], [10, 10, 10, 10, 10]);
    const wild = ratioOfMedians([10, 20, 40, 20, 15], [10, 10, 10, 10, 10]);
    expect(wild.high - wild.low).toBeGreaterThan(steady.high - steady.low);
    expect(wild.low).toBeLessThanOrEqual(wild.value);
    expect(wild.high).toBeGreaterThanOrEqual(wild.value);
  });

  test("is the same for the same rounds", () => {
    expect(ratioOfMedians([3, 5, 4], [1, 2, 1])).toEqual(ratioOfMedians([3, 5, 4], [1, 2, 1]));
  });
});
