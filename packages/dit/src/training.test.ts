import { grad, realize, Rng, tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import { beforeAll, describe, expect, test } from "vitest";
import { MMDiT } from "./model.ts";
import { randomize, tinyConfig, tinyInputs } from "./tiny-model.ts";

const inputs = { ...tinyInputs(), textActive: tensor([1, 0]), audioMask: tensor([1, 0]) };
const STEP = 1e-2;

let model: MMDiT;
let names: string[];
let values: Tensor[];
/** Slope of the loss along a random direction, by the gradients. */
let slope: number;
let largest: number[];

const lossOf = (): Tensor => model.forward(inputs).square().mean();
const direction = (): Tensor[] => {
  const rng = new Rng(7);
  return values.map((p) => rng.normal(p.shape).mul(0.1));
};

beforeAll(async () => {
  model = await randomize(new MMDiT(tinyConfig), 0.2);
  names = Object.keys(model.parameters());
  values = Object.values(model.parameters());
  const grads = grad(lossOf(), values);
  const along = direction().map((d, i) => (grads[i] ?? d).mul(d).sum());
  const norms = grads.map((g) => g.abs().max());
  const total = along.reduce((sum, part) => sum.add(part));
  await realize([...norms, total]);
  slope = await total.item();
  largest = await Promise.all(norms.map((n) => n.item()));
});

describe("training", () => {
  test("gradients reach every parameter", () => {
    expect(names.filter((_, i) => !((largest[i] ?? 0) > 0 && Number.isFinite(largest[i])))).toEqual([]);
  });

  test("gradients agree with the slope of the loss", async () => {
    const move = (by: number): Promise<void> =>
      realize(direction().map((d, i) => (values[i] ?? d).assign((values[i] ?? d).add(d.mul(by)))));
    await move(STEP);
    const up = await lossOf().item();
    await move(-2 * STEP);
    const down = await lossOf().item();
    // central differences: the error is STEP² times the third derivative, and rounding of the loss over STEP
    expect((up - down) / (2 * STEP)).toBeCloseTo(slope, 2);
    expect(Math.abs(slope)).toBeGreaterThan(0.05);
  });
});
