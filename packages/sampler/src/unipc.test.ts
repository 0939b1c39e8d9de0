import { realize, tensor } from "@omni/core";
import { describe, expect, test } from "vitest";
import { euler } from "./euler.ts";
import { startSolver } from "./multistep.ts";
import type { MultistepSolver } from "./multistep.ts";
import { flowSchedule } from "./timesteps.ts";
import type { ScheduleOptions } from "./timesteps.ts";
import { uniPC } from "./unipc.ts";
import type { UniPCOptions } from "./unipc.ts";
import type { Field, Solver } from "./velocity.ts";

async function integrate(
  solver: Solver | MultistepSolver,
  field: Field,
  schedule: Omit<ScheduleOptions, "steps"> & { readonly steps: number },
): Promise<number> {
  const times = flowSchedule(schedule);
  const run = startSolver(solver, times);
  let xt = tensor([2]);
  for (const [i, t] of times.slice(0, -1).entries()) {
    xt = run.step(field, xt, t, times[i + 1] ?? 0);
    await realize([xt, ...run.kept]);
  }
  return xt.item();
}

/** dx/dt = x cos t, whose path is x(t) = c e^{sin t}. */
const curved: Field = (x, t) => x.mul(Math.cos(t));
const exact = 2 * Math.exp(-Math.sin(1));
const errorAt = async (solver: Solver | MultistepSolver, steps: number): Promise<number> =>
  Math.abs((await integrate(solver, curved, { steps })) - exact);

const variants: UniPCOptions[] = [{}, { order: 1 }, { order: 3 }, { kind: "bh1" }, { corrector: false }];

describe("uniPC", () => {
  test.each(variants)("a straight path is exact at any number of steps: %j", async (options) => {
    // v constant = 3 from x(1) = 2: the clean value is -1 wherever it is predicted from
    for (const steps of [1, 4]) {
      const x0 = await integrate(uniPC(options), () => tensor([3]), { steps });
      expect(x0).toBeCloseTo(-1, 5);
    }
  });

  test("order 2 errs less than a quarter of Euler's error in as many evaluations", async () => {
    expect(await errorAt(uniPC(), 8)).toBeLessThan((await errorAt(euler, 8)) / 4);
  });

  test("evaluates the field once a step, at its earlier time", async () => {
    const times: number[] = [];
    await integrate(uniPC(), (x, t) => (times.push(t), x), { steps: 4 });
    expect(times).toEqual([1, 0.75, 0.5, 0.25]);
  });

  test("keeps as many predictions as its order, and one point", () => {
    const times = flowSchedule({ steps: 5 });
    const run = uniPC({ order: 2 }).start(times);
    let xt = tensor([2]);
    const kept = times.slice(0, -1).map((t, i) => {
      xt = run.step(curved, xt, t, times[i + 1] ?? 0);
      return run.kept.length;
    });
    expect(kept).toEqual([2, 3, 3, 3, 3]);
  });

  test("refuses an order below 1", () => {
    expect(() => uniPC({ order: 0 })).toThrow("order must be a whole number above 0, got 0");
  });
});
