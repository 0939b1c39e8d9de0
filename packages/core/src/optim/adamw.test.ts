import { describe, expect, test } from "vitest";
import { DTypeError, OmniError, ShapeError } from "../base/errors.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { difference } from "../testing/allclose.ts";
import { sample } from "../testing/nd.ts";
import { AdamW } from "./adamw.ts";
import { decayGroups } from "./decay-groups.ts";

const BETAS = [0.8, 0.95] as const;
const EPS = 1e-6;

/** Loshchilov & Hutter 2019, algorithm 2, in float64. */
class Reference {
  readonly p: Float64Array;
  readonly m: Float64Array;
  readonly v: Float64Array;
  #t = 0;
  constructor(p: ArrayLike<number>) {
    this.p = Float64Array.from(p);
    this.m = new Float64Array(p.length);
    this.v = new Float64Array(p.length);
  }
  step(gradient: ArrayLike<number>, lr: number, decay: number): void {
    this.#t++;
    for (let i = 0; i < this.p.length; i++) {
      const g = gradient[i] ?? NaN;
      const m = (this.m[i] = BETAS[0] * (this.m[i] ?? 0) + (1 - BETAS[0]) * g);
      const v = (this.v[i] = BETAS[1] * (this.v[i] ?? 0) + (1 - BETAS[1]) * g * g);
      const step = m / (1 - BETAS[0] ** this.#t) / (Math.sqrt(v / (1 - BETAS[1] ** this.#t)) + EPS);
      this.p[i] = (this.p[i] ?? 0) * (1 - lr * decay) - lr * step;
    }
  }
}

const leaf = (shape: number[], seed: number): Tensor => tensor(Float32Array.from(sample(shape, seed).data), { shape });

describe("AdamW", () => {
  test.each([[[4, 8]], [[3, 5]]])("follows its definition for six steps of a matrix %j and a bias", async (shape) => {
    const params = { w: leaf(shape, 1), b: leaf([5], 2) };
    const adam = new AdamW(params, { lr: 0.1, betas: BETAS, eps: EPS, weightDecay: 0.3 });
    const references = { w: new Reference(sample(shape, 1).data), b: new Reference(sample([5], 2).data) };
    for (let t = 0; t < 6; t++) {
      const lr = 0.1 / (t + 1);
      await realize(adam.step({ w: leaf(shape, 10 + t), b: leaf([5], 20 + t) }, { lr }));
      references.w.step(sample(shape, 10 + t).data, lr, 0.3);
      references.b.step(sample([5], 20 + t).data, lr, 0.3);
    }
    const state = adam.state();
    // six steps of a few f32 roundings on numbers of about 1
    const tolerance = { absolute: 2e-6, relative: 2e-6 };
    for (const name of ["w", "b"] as const) {
      expect(difference(await params[name].data(), references[name].p, tolerance)).toBeNull();
      expect(difference((await state.moments[`${name}.m`]?.data()) ?? [], references[name].m, tolerance)).toBeNull();
      expect(difference((await state.moments[`${name}.v`]?.data()) ?? [], references[name].v, tolerance)).toBeNull();
    }
    expect(state.step).toBe(6);
  });

  test("scales gradients by a tensor of one element, and leaves parameters without gradient alone", async () => {
    const params = { w: leaf([2, 3], 1), idle: leaf([2, 3], 2) };
    const adam = new AdamW(params, { lr: 0.1, betas: BETAS, eps: EPS, weightDecay: 0 });
    await realize(adam.step({ w: leaf([2, 3], 3) }, { gradScale: tensor([0.25]) }));
    const reference = new Reference(sample([2, 3], 1).data);
    reference.step(
      sample([2, 3], 3).data.map((g) => 0.25 * g),
      0.1,
      0,
    );
    expect(difference(await params.w.data(), reference.p, { absolute: 1e-6, relative: 1e-6 })).toBeNull();
    expect(difference(await params.idle.data(), sample([2, 3], 2).data, { absolute: 0, relative: 0 })).toBeNull();
  });

  test("spares biases and gains the decay when their groups say so", async () => {
    const params = { w: leaf([2, 3], 1), b: leaf([3], 2) };
    const adam = new AdamW(decayGroups(params, 0.3), { lr: 0.1, betas: BETAS, eps: EPS });
    await realize(adam.step({ w: leaf([2, 3], 3), b: leaf([3], 4) }));
    const references = { w: new Reference(sample([2, 3], 1).data), b: new Reference(sample([3], 2).data) };
    references.w.step(sample([2, 3], 3).data, 0.1, 0.3);
    references.b.step(sample([3], 4).data, 0.1, 0);
    for (const name of ["w", "b"] as const)
      expect(difference(await params[name].data(), references[name].p, { absolute: 1e-6, relative: 1e-6 })).toBeNull();
  });

  test("goes on from a saved state as if it had never stopped", async () => {
    const run = async (restart: boolean): Promise<Float32Array> => {
      const params = { w: leaf([3, 4], 1) };
      let adam = new AdamW(params, { lr: 0.1 });
      for (let t = 0; t < 4; t++) {
        if (restart && t === 2) {
          const { step, moments } = adam.state();
          const saved = Object.fromEntries(
            await Promise.all(
              Object.entries(moments).map(
                async ([n, m]) => [n, { shape: m.shape, data: Float32Array.from(await m.data()) }] as const,
              ),
            ),
          );
          adam = new AdamW(params, { lr: 0.1 });
          adam.loadState(step, saved);
        }
        await realize(adam.step({ w: leaf([3, 4], 5 + t) }));
      }
      return Float32Array.from(await params.w.data());
    };
    expect(await run(true)).toEqual(await run(false));
  });

  test("refuses what does not fit, before it counts a step", () => {
    const params = { w: zeros([2, 3]) };
    const adam = new AdamW(params, { lr: 0.1 });
    expect(() => adam.step({ other: zeros([2, 3]) })).toThrow(
      new OmniError('AdamW: gradient "other" must belong to a parameter; parameters are named at construction'),
    );
    expect(() => adam.step({ w: zeros([3]) })).toThrow(
      new ShapeError('AdamW: gradient "w" must have shape [2, 3], got [3]'),
    );
    expect(adam.state().step).toBe(0);
    const moment = { shape: [3], data: new Float32Array(3) };
    expect(() => adam.loadState(1, {})).toThrow('AdamW: the state must hold the moments of "w"');
    expect(() => adam.loadState(1, { "w.m": moment, "w.v": moment })).toThrow(
      'AdamW: moments of "w" must have shape [2, 3], got [3]',
    );
    expect(() => new AdamW({ ids: zeros([2], "i32") }, { lr: 1 })).toThrow(
      new DTypeError('AdamW: parameters must be f32, got i32 for "ids"'),
    );
  });
});
