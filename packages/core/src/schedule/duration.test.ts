import { expect, test } from "vitest";
import { Duration } from "./duration.ts";

test("one long run does not make the next ones wait", () => {
  const duration = new Duration();
  expect(duration.estimate).toBe(0);
  for (const ms of [16, 107, 15, 90]) duration.add(ms);
  expect(duration.estimate).toBe(15);
});

test("a plan that has become slower for good is waited for longer before long", () => {
  const duration = new Duration();
  duration.add(10);
  for (let i = 0; i < 8; i++) duration.add(30);
  expect(duration.estimate).toBe(30);
});

test("an estimate that was too long is halved until it is not, and forgotten once an end is seen", () => {
  const duration = new Duration();
  duration.add(3000);
  for (let i = 0; i < 7; i++) duration.addOverslept();
  expect(duration.estimate).toBeCloseTo(3000 / 2 ** 7);
  duration.add(30);
  expect(duration.estimate).toBe(30);
  duration.add(40);
  expect(duration.estimate).toBe(30);
});
