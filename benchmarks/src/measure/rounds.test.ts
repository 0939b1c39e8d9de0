import { describe, expect, test, vi } from "vitest";
import { orderOf, repeatsFor, timeOnce, timeRounds } from "./rounds.ts";

/** A contender that writes down its runs and takes no time. */
const named = (name: string, log: string[]) => ({
  start: () => void log.push(name),
  finish: () => Promise.resolve(),
});

describe("orderOf", () => {
  test("turns around every second round", () => {
    expect(orderOf(3, 0)).toEqual([0, 1, 2]);
    expect(orderOf(3, 1)).toEqual([2, 1, 0]);
    expect(orderOf(3, 2)).toEqual([0, 1, 2]);
  });
});

describe("repeatsFor", () => {
  test("makes a measurement of 10 ms, of at most a hundred runs", () => {
    expect([200, 10, 4, 0.001].map(repeatsFor)).toEqual([1, 1, 3, 100]);
  });
});

describe("timeOnce", () => {
  test("does not take its own sleep for the work's time", async () => {
    let runs = 0;
    let done = Promise.resolve();
    const start = (): void => {
      runs++;
      done = new Promise((resolve) => setTimeout(resolve, 30));
    };
    // 700 ms, 350 and 175 are too long, 87 and 43, too; 21 is not
    expect(await timeOnce({ start, finish: () => done }, 1000)).toBeLessThan(60);
    expect(runs).toBe(6);
  });
});

describe("timeRounds", () => {
  test("interleaves the contenders", async () => {
    const log: string[] = [];
    const times = await timeRounds([named("a", log), named("b", log)], { rounds: 4, budget: Infinity });
    expect(log.join("")).toBe("abbaabba");
    expect(times.map((own) => own.length)).toEqual([4, 4]);
  });

  test("times a run from its start to its finish", async () => {
    let clock = 0;
    vi.spyOn(performance, "now").mockImplementation(() => clock);
    const pass = (ms: number) => async () => {
      clock += ms;
    };
    const timed = { before: pass(40), start: pass(5), finish: pass(2) };
    expect(await timeRounds([timed], { rounds: 2, budget: Infinity })).toEqual([[7, 7]]);
    vi.restoreAllMocks();
  });

  test("divides by the runs of a measurement", async () => {
    const log: string[] = [];
    let clock = 0;
    vi.spyOn(performance, "now").mockImplementation(() => (clock += 8));
    // start and end are 16 ms apart, with one look at the clock between
    expect(await timeRounds([{ ...named("a", log), repeats: 4 }], { rounds: 1, budget: Infinity })).toEqual([[4]]);
    vi.restoreAllMocks();
    expect(log).toHaveLength(4);
  });

  test("ends with the time given, after three rounds", async () => {
    const times = await timeRounds([named("a", [])], { rounds: 10, budget: -1 });
    expect(times[0]).toHaveLength(3);
  });
});
