import { describe, expect, test } from "vitest";
import {
  constant,
  constantWithWarmup,
  cosine,
  cosineWithRestarts,
  linear,
  piecewiseConstant,
  polynomial,
  warmupHoldDecay,
  type LrSchedule,
} from "./lr-schedule.ts";

const near = (v: number): number => expect.closeTo(v, 12) as number;
const at = (schedule: LrSchedule, ...steps: number[]): number[] => steps.map((n) => schedule(n));

describe("schedules", () => {
  test("rise in a straight line from 0 over their warm-up", () => {
    const common = { peak: 2, warmup: 4, total: 20 };
    for (const schedule of [constantWithWarmup, linear, cosine, cosineWithRestarts, polynomial])
      expect(at(schedule(common), 0, 1, 2, 4)).toEqual([0, 0.5, 1, near(2)]);
  });

  // expected numbers: each formula by hand at the quarters of what follows the warm-up
  test.each<[string, LrSchedule, number[]]>([
    ["constant", constant({ peak: 2 }), [2, 2, 2, 2, 2]],
    ["constantWithWarmup", constantWithWarmup({ peak: 2, warmup: 4 }), [2, 2, 2, 2, 2]],
    ["linear", linear({ peak: 2, warmup: 4, total: 20 }), [2, 1.5, 1, 0, 0]],
    ["cosine", cosine({ peak: 2, warmup: 4, total: 20 }), [2, 1 + Math.SQRT1_2, 1, 0, 1 - Math.SQRT1_2]],
    [
      "two cycles of cosineWithRestarts",
      cosineWithRestarts({ peak: 2, warmup: 4, total: 20, cycles: 2 }),
      [2, 1, 2, 0, 0],
    ],
    ["polynomial", polynomial({ peak: 2, warmup: 4, total: 20, power: 2, final: 1 }), [2, 1.5625, 1.25, 1, 1]],
  ])("%s has its formula's values at the quarters", (_, schedule, expected) => {
    expect(at(schedule, 4, 8, 12, 20, 24)).toEqual(expected.map(near));
  });

  test("change by pieces", () => {
    const schedule = piecewiseConstant({
      peak: 2,
      pieces: [
        [10, 1],
        [20, 0.1],
      ],
      last: 0.01,
    });
    expect(at(schedule, 0, 9, 10, 19, 20, 99)).toEqual([2, 2, 0.2, 0.2, 0.02, 0.02]);
  });

  test("must end below their peak", () => {
    expect(() => polynomial({ peak: 1e-8, total: 5 })).toThrow(
      "polynomial: final must lie below the peak, got 1e-7 and 1e-8",
    );
  });
});

describe("warmupHoldDecay", () => {
  const lr = warmupHoldDecay({ peak: 2, total: 100, warmup: 10, hold: 0.5, final: 0.1 });

  test("rises over the warm-up, holds, and falls to its final share", () => {
    expect([0, 4, 9, 10, 49].map(lr)).toEqual([0.2, 1, 2, 2, 2]);
    expect(lr(75)).toBeCloseTo(2 * (1 - 0.5 * 0.9), 12);
    expect([100, 500].map(lr)).toEqual([2 * 0.1, 2 * 0.1].map((v) => expect.closeTo(v, 12) as number));
  });

  test("never rises after the warm-up", () => {
    for (let i = 10; i < 120; i++) expect(lr(i + 1)).toBeLessThanOrEqual(lr(i));
  });
});
