import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { duration, Progress } from "./progress.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("what was done before a stop says nothing about the time that is left", () => {
  const lines: string[] = [];
  const progress = new Progress({ stderr: { write: (text) => lines.push(text) }, terminal: null }, "training");
  vi.advanceTimersByTime(30_000);
  progress.update(0.6, "step 600");
  vi.advanceTimersByTime(100_000);
  progress.update(0.7, "step 700");
  expect(lines).toEqual(["training: 60 %, step 600, starting\n", "training: 70 %, step 700, about 5 min 0 s left\n"]);
});

test("says how long in two units at most", () => {
  expect([0, 45, 200, 3900].map(duration)).toEqual(["1 s", "45 s", "3 min 20 s", "1 h 5 min"]);
});
