import { describe, expect, test } from "vitest";
import { fastest } from "./tune-rounds.ts";

/** Times of each candidate, round by round; the last is repeated. */
function clock(times: readonly (readonly number[])[]) {
  const calls: number[] = [];
  const runs = times.map(() => 0);
  return {
    calls,
    time: (index: number): Promise<number> => {
      calls.push(index);
      const own = times[index] ?? [];
      const run = runs[index] ?? 0;
      runs[index] = run + 1;
      return Promise.resolve(own[Math.min(run, own.length - 1)] ?? Infinity);
    },
  };
}

describe("fastest", () => {
  test("finds the one of the least time against the first", async () => {
    expect(await fastest(3, clock([[10], [9], [5]]).time, 200)).toEqual({ index: 2, ratio: 0.5 });
  });

  test("keeps the first where another gains less than a busy machine's noise", async () => {
    expect(await fastest(2, clock([[100], [97]]).time, 200)).toEqual({ index: 0, ratio: 1 });
  });

  test("compares inside rounds: load that meets a whole round changes nothing", async () => {
    const load = [1, 4, 1, 9, 2];
    const times = [load.map((x) => 10 * x), load.map((x) => 8 * x)];
    const { index, ratio } = await fastest(2, clock(times).time, 1e9);
    expect(index).toBe(1);
    expect(ratio).toBeCloseTo(0.8, 12);
  });

  test("one slow run does not decide", async () => {
    expect((await fastest(2, clock([[10], [5, 15, 5, 5, 5, 5]]).time, 200)).index).toBe(1);
  });

  test("a gain that comes and goes is left", async () => {
    expect((await fastest(2, clock([[10], [5, 12, 5, 12, 5, 12]]).time, 60)).index).toBe(0);
  });

  test("what is far slower is timed once", async () => {
    const { calls, time } = clock([[10], [100], [8]]);
    await fastest(3, time, 200);
    expect(calls.filter((i) => i === 1)).toHaveLength(1);
  });

  test("stops when the budget is spent, but not before five rounds, and at fifteen at last", async () => {
    const roundsOf = async (budget: number): Promise<number> => {
      const { calls, time } = clock([[10], [10]]);
      await fastest(2, time, budget);
      return calls.length / 2;
    };
    expect(await roundsOf(1)).toBe(5);
    expect(await roundsOf(140)).toBe(7);
    expect(await roundsOf(1e9)).toBe(15);
  });

  test("rules out what does not compile, be it the first", async () => {
    expect((await fastest(2, clock([[10], [Infinity]]).time, 200)).index).toBe(0);
    expect((await fastest(2, clock([[Infinity], [10]]).time, 200)).index).toBe(1);
    expect((await fastest(2, clock([[Infinity], [Infinity]]).time, 200)).index).toBe(0);
  });
});
