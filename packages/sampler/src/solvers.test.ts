import { describe, expect, test } from "vitest";
import { tensor } from "@omni/core";
import { euler } from "./euler.ts";
import { heun } from "./heun.ts";
import { flowSchedule } from "./timesteps.ts";
import type { Field, Solver } from "./velocity.ts";

async function integrate(solver: Solver, field: Field, start: number, steps: number): Promise<number> {
  const schedule = flowSchedule({ steps });
  let xt = tensor([start]);
  for (let i = 0; i < steps; i++) xt = solver(field, xt, schedule[i] ?? 0, schedule[i + 1] ?? 0);
  return xt.item();
}

describe.each([
  ["euler", euler],
  ["heun", heun],
])("%s", (_name, solver) => {
  test("a straight path is exact at any number of steps", async () => {
    // v constant = 3: x(0) = x(1) - 3
    for (const steps of [1, 3]) expect(await integrate(solver, () => tensor([3]), 2, steps)).toBeCloseTo(-1, 5);
  });
});

describe("euler", () => {
  test("on v = x multiplies by 1 - 1/n each step", async () => {
    expect(await integrate(euler, (x) => x, 1, 4)).toBeCloseTo(0.75 ** 4, 6);
  });

  test("evaluates the field once, at the earlier time", () => {
    const times: number[] = [];
    euler((x, t) => (times.push(t), x), tensor([1]), 0.5, 0.25);
    expect(times).toEqual([0.5]);
  });
});

describe("heun", () => {
  test("on v = x multiplies by 1 - h + h²/2 each step, by 1 - h on the last", async () => {
    const h = 0.25;
    expect(await integrate(heun, (x) => x, 1, 4)).toBeCloseTo((1 - h + (h * h) / 2) ** 3 * (1 - h), 6);
  });

  test("evaluates both ends, and the last step once", () => {
    const times: number[] = [];
    const field: Field = (x, t) => (times.push(t), x);
    heun(field, tensor([1]), 0.5, 0.25);
    heun(field, tensor([1]), 0.25, 0);
    expect(times).toEqual([0.5, 0.25, 0.25]);
  });
});
