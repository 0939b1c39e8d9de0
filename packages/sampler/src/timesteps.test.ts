import { describe, expect, test } from "vitest";
import { Rng } from "@omni/core";
import { drawTimes, flowSchedule, shiftForLength, shiftTime, trainingTimes } from "./timesteps.ts";

function expectTimes(actual: readonly number[], expected: readonly number[], digits = 6): void {
  expect(actual).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, digits);
}

describe("shiftTime", () => {
  test("keeps both ends and follows s t / (1 + (s - 1) t)", () => {
    expect(shiftTime(0, 3)).toBe(0);
    expect(shiftTime(1, 3)).toBe(1);
    expect(shiftTime(0.5, 3)).toBeCloseTo(0.75, 12); // 1.5 / 2
  });

  test("is undone by the inverse shift", () => {
    expect(shiftTime(shiftTime(0.3, 5), 1 / 5)).toBeCloseTo(0.3, 12);
  });
});

describe("shiftForLength", () => {
  test("meets its anchors", () => {
    expect(shiftForLength(256)).toBeCloseTo(Math.exp(0.5), 12);
    expect(shiftForLength(4096)).toBeCloseTo(Math.exp(1.15), 12);
  });
});

describe("flowSchedule", () => {
  test("uniform spacing moves by 1/steps", () => {
    expectTimes(flowSchedule({ steps: 4 }), [1, 0.75, 0.5, 0.25, 0]);
  });

  test("uniform spacing with a shift is the shifted grid", () => {
    expectTimes(flowSchedule({ steps: 2, shift: 3 }), [1, 0.75, 0]);
  });

  test("diffusers spacing with shift 1 runs evenly from 1 to 1/1000, then to 0", () => {
    const expected = Array.from({ length: 8 }, (_, i) => 1 - (0.999 * i) / 7);
    expectTimes(flowSchedule({ steps: 8, spacing: "diffusers" }), [...expected, 0]);
  });

  test("diffusers spacing shifts its smallest time twice", () => {
    // s t / (1 + (s-1) t) at t = 0.001 with s = 3, twice: 0.003 / 1.002, then 3 x / (1 + 2 x) = 9/1008
    expect(flowSchedule({ steps: 8, shift: 3, spacing: "diffusers" }).at(-2)).toBeCloseTo(9 / 1008, 9);
  });

  test("a dynamic shift replaces the fixed one and is applied once", () => {
    const times = flowSchedule({ steps: 12, spacing: "diffusers", mu: 1.15 });
    expect(times.at(-2)).toBeCloseTo(shiftTime(0.001, Math.exp(1.15)), 12);
  });

  test("a terminal time is met, and 1 stays 1", () => {
    const times = flowSchedule({ steps: 4, spacing: "diffusers", mu: 0.9, terminal: 0.02 });
    expect(times[0]).toBe(1);
    expect(times.at(-2)).toBeCloseTo(0.02, 12);
    expect(times.at(-1)).toBe(0);
  });

  test("unipc spacing is uniform from 1 - 1/1000", () => {
    expectTimes(flowSchedule({ steps: 3, spacing: "unipc" }), [0.999, 0.666, 0.333, 0]);
  });

  test("respacing moves what lies between the ends", () => {
    const options = { steps: 5, spacing: "diffusers", shift: 3 } as const;
    const [plain, moved] = [flowSchedule(options), flowSchedule({ ...options, respacing: "karras" })];
    expect([moved[0], moved.at(-2), moved.at(-1)]).toEqual([1, expect.closeTo(plain.at(-2) ?? 0, 12), 0]);
    expect(moved[2]).toBeLessThan(plain[2] ?? 0);
  });

  test("one step goes from 1 to 0", () => {
    expectTimes(flowSchedule({ steps: 1, shift: 5 }), [1, 0]);
    expectTimes(flowSchedule({ steps: 1, spacing: "diffusers" }), [1, 0]);
  });

  test("refuses a step count or shift that makes no schedule", () => {
    expect(() => flowSchedule({ steps: 0 })).toThrow("steps must be a positive integer, got 0");
    expect(() => flowSchedule({ steps: 4, shift: 0 })).toThrow("shift must be above 0");
  });
});

describe("trainingTimes", () => {
  test("falls from 1 to the shifted 1/N", () => {
    expectTimes(trainingTimes({ trainSteps: 4, shift: 3 }), [1, 0.9, 0.75, 0.5]); // s t / (1 + 2 t)
  });
});

describe("drawTimes", () => {
  test("uniform times fill (0, 1) evenly", async () => {
    const t = [...(await drawTimes(new Rng(1), 4096, { distribution: { kind: "uniform" } }).data())];
    expect(Math.min(...t)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...t)).toBeLessThanOrEqual(1);
    // standard error of the mean of 4096 uniform draws: 0.289 / 64 = 0.0045; four of them
    expect(Math.abs(mean(t) - 0.5)).toBeLessThan(0.018);
  });

  test("logit-normal times have a standard normal logit", async () => {
    const t = [...(await drawTimes(new Rng(2), 4096).data())];
    const logits = t.map((v) => Math.log(v / (1 - v)));
    // four standard errors: 1/64 for the mean, 1/√8192 for the standard deviation
    expect(Math.abs(mean(logits))).toBeLessThan(0.0625);
    expect(Math.abs(Math.sqrt(mean(logits.map((v) => v * v))) - 1)).toBeLessThan(0.045);
  });

  test("a shift maps every time by shiftTime", async () => {
    const plain = await drawTimes(new Rng(3), 16).data();
    const shifted = await drawTimes(new Rng(3), 16, { shift: 3 }).data();
    for (const [i, t] of plain.entries()) expect(shifted[i]).toBeCloseTo(shiftTime(t, 3), 5);
  });
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, v) => sum + v, 0) / values.length;
}
