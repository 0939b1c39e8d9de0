import { mkdtemp, readdir, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { linear, type PlanReport, Rng, type Tensor } from "@omni/core";
import { Linear, Module } from "@omni/core/nn";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runSteps } from "./loop.ts";
import { DivergedError, Optimization } from "./optimization.ts";
import { RunState } from "./run-state.ts";

class Tiny extends Module {
  readonly first = new Linear(3, 5, { rng: new Rng(1) });
  readonly second = new Linear(5, 1, { rng: new Rng(2) });

  loss(step: number): Tensor {
    const x = new Rng(7).fork(step).normal([4, 3]);
    const y = linear(this.first.forward(x).tanh(), this.second.weight, this.second.bias);
    return y
      .sub(x.slice(1, 0, 1))
      .square()
      .mean();
  }
}

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "omni-trainer-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function train(steps: number, checkpoint: string, resume: boolean): Promise<number[]> {
  const state = resume ? await RunState.read(checkpoint) : null;
  const net = new Tiny();
  if (state) net.loadStateDict(state.group("param"));
  await net.realize();
  const optimization = new Optimization(net.parameters(), { lr: () => 0.01 }, state);
  await runSteps(
    { steps, from: state?.step ?? 0, checkpoint },
    (i) => optimization.update(i, net.loss(i)),
    () => optimization.state(),
  );
  const values = await Promise.all(
    [...Object.values(net.parameters()), ...Object.values(optimization.average)].map((t) => t.data()),
  );
  return values.flatMap((v) => [...v]);
}

describe("a training run", () => {
  test("resumed from its checkpoint equals one that never stopped", async () => {
    const whole = await train(8, join(folder, "whole.safetensors"), false);
    const parts = join(folder, "parts.safetensors");
    await train(5, parts, false);
    expect(await train(8, parts, true)).toEqual(whole);
  });

  test("tells the plan of its first step, once, before that runs", async () => {
    const net = await new Tiny().realize();
    const plans: PlanReport[] = [];
    const optimization = new Optimization(net.parameters(), { lr: () => 0.01, onPlan: (plan) => plans.push(plan) });
    for (const step of [0, 1]) await (await optimization.update(step, net.loss(step))).values;
    expect(plans).toHaveLength(1);
    expect(plans[0]?.labels).toContain("adam");
    expect(plans[0]?.peakBytes).toBeGreaterThan(4 * net.numParameters());
  });

  test("leaves nothing but its checkpoint", async () => {
    await train(1, join(folder, "one.safetensors"), false);
    expect((await readdir(folder)).every((name) => name.endsWith(".safetensors"))).toBe(true);
  });

  test("refuses a damaged checkpoint", async () => {
    const path = join(folder, "damaged.safetensors");
    await train(1, path, false);
    await truncate(path, 200);
    await expect(RunState.read(path)).rejects.toThrow();
  });

  test("stops with the step's number when the loss is not finite", async () => {
    const net = await new Tiny().realize();
    const optimization = new Optimization(net.parameters(), { lr: () => 0.01 });
    const { values } = await optimization.update(3, net.loss(0).mul(NaN));
    await expect(values).rejects.toThrow(DivergedError);
  });
});
