import { describe, expect, test } from "vitest";
import { tensor } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { difference } from "../testing/allclose.ts";
import { sample } from "../testing/nd.ts";
import { Adam } from "./adam.ts";
import { AdamW } from "./adamw.ts";

const leaf = (shape: number[], seed: number): Tensor => tensor(Float32Array.from(sample(shape, seed).data), { shape });

/** Kingma & Ba 2015, algorithm 1, with Reddi et al. 2018 and both kinds of decay, in float64. */
function reference(kind: "Adam" | "AdamW", amsgrad: boolean, steps: number, lr: number, decay: number): Float64Array {
  const p = sample([7], 1).data.slice();
  const [m, v, top] = [new Float64Array(7), new Float64Array(7), new Float64Array(7)];
  for (let t = 1; t <= steps; t++) {
    const g = sample([7], 10 + t).data;
    for (let i = 0; i < 7; i++) {
      const before = p[i] ?? NaN;
      const d = (g[i] ?? NaN) + (kind === "Adam" ? decay * before : 0);
      m[i] = 0.9 * (m[i] ?? 0) + 0.1 * d;
      v[i] = 0.999 * (v[i] ?? 0) + 0.001 * d * d;
      top[i] = Math.max(top[i] ?? 0, v[i] ?? 0);
      const root = Math.sqrt(((amsgrad ? top : v)[i] ?? NaN) / (1 - 0.999 ** t)) + 1e-8;
      p[i] = before - (kind === "AdamW" ? lr * decay * before : 0) - (lr * (m[i] ?? NaN)) / (1 - 0.9 ** t) / root;
    }
  }
  return p;
}

describe("Adam and AdamW", () => {
  test.each([
    ["Adam", false],
    ["Adam", true],
    ["AdamW", false],
    ["AdamW", true],
  ] as const)("%s with amsgrad %s follows its definition for eight steps", async (kind, amsgrad) => {
    const params = { w: leaf([7], 1) };
    const options = { lr: 0.05, weightDecay: 0.2, amsgrad };
    const optimizer = kind === "Adam" ? new Adam(params, options) : new AdamW(params, options);
    for (let t = 1; t <= 8; t++) await realize(optimizer.step({ w: leaf([7], 10 + t) }));
    // eight steps of a few f32 roundings on numbers of about 1
    expect(
      difference(await params.w.data(), reference(kind, amsgrad, 8, 0.05, 0.2), { absolute: 3e-6, relative: 3e-6 }),
    ).toBeNull();
    expect(Object.keys(optimizer.state().moments)).toEqual(amsgrad ? ["w.m", "w.v", "w.vmax"] : ["w.m", "w.v"]);
  });

  test("a first step is lr long, however small the gradient", async () => {
    // m̂ / √v̂ = g / |g| at the first step
    const params = { w: tensor([0, 0, 0]) };
    const adam = new Adam(params, { lr: 0.01, eps: 0 });
    await realize(adam.step({ w: tensor([1e-12, -3, 50]) }));
    expect(difference(await params.w.data(), [-0.01, 0.01, -0.01], { absolute: 0, relative: 1e-5 })).toBeNull();
  });
});
