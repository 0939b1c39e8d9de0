import { describe, expect, test } from "vitest";
import { getDevice, Rng, tensor } from "@omni/core";
import { sample } from "./sample.ts";
import type { SampleProgress } from "./sample.ts";
import { flowSchedule } from "./timesteps.ts";
import { uniPC } from "./unipc.ts";
import { eachBranch } from "./velocity.ts";

/** The exact velocity of data concentrated in one point x0: every solver lands on it. */
const towards = eachBranch<number>((xt, t, x0) => xt.sub(x0).div(t.reshape([t.size, 1])));

describe("sample", () => {
  test("reaches the data point in any number of steps", async () => {
    const noise = new Rng(7).normal([2, 3]);
    for (const steps of [1, 4]) {
      const guidance = { kind: "none", full: 2 } as const;
      const x0 = await sample({ velocity: towards, guidance, noise, schedule: flowSchedule({ steps, shift: 3 }) });
      for (const value of await x0.data()) expect(value).toBeCloseTo(2, 5);
    }
  });

  test("reports each step with the time reached", async () => {
    const seen: Omit<SampleProgress, "xt">[] = [];
    await sample({
      velocity: towards,
      guidance: { kind: "joint", full: 1, dropped: 0, scale: 2 },
      noise: tensor([[1]]),
      schedule: flowSchedule({ steps: 2 }),
      onStep: ({ step, steps, t }) => void seen.push({ step, steps, t }),
    });
    expect(seen).toEqual([
      { step: 1, steps: 2, t: 0.5 },
      { step: 2, steps: 2, t: 0 },
    ]);
  });

  test("leaves the caller's noise alone", async () => {
    const noise = tensor([[1, 2]]);
    await sample({
      velocity: towards,
      guidance: { kind: "none", full: 0 },
      noise,
      schedule: flowSchedule({ steps: 3 }),
    });
    expect([...(await noise.data())]).toEqual([1, 2]);
  });

  test("stops at the next step when aborted", async () => {
    const controller = new AbortController();
    let steps = 0;
    const run = sample({
      velocity: towards,
      guidance: { kind: "none", full: 0 },
      noise: tensor([[1]]),
      schedule: flowSchedule({ steps: 5 }),
      onStep: () => {
        if (++steps === 2) controller.abort(new Error("enough"));
      },
      signal: controller.signal,
    });
    await expect(run).rejects.toThrow("enough");
    expect(steps).toBe(2);
  });
  test("gives a multistep solver's memory back", async () => {
    const { pool } = await getDevice();
    const noise = await new Rng(7).normal([2, 8192]).realize();
    const run = async (): Promise<number> => {
      const x0 = await sample({
        velocity: towards,
        guidance: { kind: "none", full: 2 },
        noise,
        schedule: flowSchedule({ steps: 6, spacing: "unipc" }),
        solver: uniPC({ order: 3 }),
      });
      expect(await x0.sub(2).abs().max().item()).toBeLessThan(1e-5);
      x0.dispose();
      return pool.liveBytes;
    };
    // the first run makes the plans, which keep their slots; of the second only leaves of a few bytes wait for the collector
    const held = await run();
    expect((await run()) - held).toBeLessThan(4 * noise.size);
  });
});
