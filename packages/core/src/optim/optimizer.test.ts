import { describe, expect, test } from "vitest";
import { OmniError } from "../base/errors.ts";
import { getDevice } from "../runtime/index.ts";
import { planCacheOf } from "../schedule/realize.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { sample } from "../testing/nd.ts";
import { Adam } from "./adam.ts";
import { AdamW } from "./adamw.ts";
import { Lion } from "./lion.ts";
import { Muon } from "./muon.ts";
import { SGD } from "./sgd.ts";

const leaf = (shape: number[], seed: number): Tensor => tensor(Float32Array.from(sample(shape, seed).data), { shape });

describe("an optimiser's numbers", () => {
  test("change from step to step without another plan or pipeline", async () => {
    const device = await getDevice();
    const cache = planCacheOf(device);
    const w = leaf([4, 4], 1);
    const sgd = new SGD({ w }, { lr: 0.1, momentum: 0.9 });
    const adam = new AdamW({ w }, { lr: 0.1 });
    const lion = new Lion({ w }, { lr: 0.1 });
    const muon = new Muon({ w }, { lr: 0.1 });
    const step = async (i: number): Promise<void> => {
      const lr = 0.1 / (i + 1);
      for (const optimizer of [sgd, adam, lion, muon])
        await realize(optimizer.step({ w: leaf([4, 4], i) }, { lr, lrScale: 1 / (i + 1) }));
    };
    for (let i = 0; i < 3; i++) await step(i);
    const [group] = sgd.groups;
    if (group) group.options = { ...group.options, momentum: 0.5, weightDecay: 0.1 };
    const [other] = adam.groups;
    if (other) other.options = { ...other.options, betas: [0.8, 0.9], eps: 1e-3, weightDecay: 0.3 };
    const { misses } = cache;
    const pipelines = device.pipelines.size;
    for (let i = 3; i < 6; i++) await step(i);
    expect(cache.misses).toBe(misses);
    expect(device.pipelines.size).toBe(pipelines);
  });

  test("are a group's own, or the optimiser's", async () => {
    const params = { a: tensor([1, 1]), b: tensor([1, 1]), c: tensor([1, 1]) };
    const sgd = new SGD(
      [
        { params: { a: params.a } },
        { params: { b: params.b }, options: { lr: 0.01 } },
        { params: { c: params.c }, options: { weightDecay: 1 } },
      ],
      { lr: 0.1 },
    );
    const grads = { a: tensor([1, 2]), b: tensor([1, 2]), c: tensor([0, 0]) };
    await realize(sgd.step(grads));
    expect(await params.a.data()).toEqual(Float32Array.of(0.9, 0.8));
    expect(await params.b.data()).toEqual(Float32Array.of(0.99, 0.98));
    expect(await params.c.data()).toEqual(Float32Array.of(0.9, 0.9));
    // a scale keeps the groups' ratios, a rate does not
    await realize(sgd.step({ a: tensor([1, 1]), b: tensor([1, 1]) }, { lrScale: 0 }));
    await realize(sgd.step({ a: tensor([1, 1]), b: tensor([1, 1]) }, { lr: 0.5 }));
    expect((await params.a.data())[0]).toBeCloseTo(0.4, 6);
    expect((await params.b.data())[0]).toBeCloseTo(0.49, 6);
  });
});

describe("an optimiser's steps", () => {
  test("are counted by parameter: one that missed some is corrected for its own", async () => {
    // at a parameter's first step Adam moves by lr whatever the gradient; with the other's count it would move by less
    const params = { always: tensor([0]), late: tensor([0]) };
    const adam = new Adam(params, { lr: 0.1, eps: 0 });
    for (let t = 0; t < 4; t++) await realize(adam.step({ always: tensor([1]) }));
    await realize(adam.step({ always: tensor([1]), late: tensor([5]) }));
    expect(await params.late.item()).toBeCloseTo(-0.1, 6);
    expect(await adam.state().moments["late.step"]?.item()).toBe(1);
    expect(Object.keys(adam.state().moments)).not.toContain("always.step");
  });

  test("go on from a saved state, missed steps included", async () => {
    const run = async (restart: boolean): Promise<number[]> => {
      const params = { a: leaf([3], 1), b: leaf([3], 2) };
      let adam = new Adam(params, { lr: 0.1, amsgrad: true });
      for (let t = 0; t < 6; t++) {
        if (restart && t === 4) {
          const { step, moments } = adam.state();
          const saved: Record<string, { shape: readonly number[]; data: Float32Array<ArrayBuffer> }> = {};
          for (const [name, m] of Object.entries(moments))
            saved[name] = { shape: m.shape, data: Float32Array.from(await m.data()) };
          adam = new Adam(params, { lr: 0.1, amsgrad: true });
          adam.loadState(step, saved);
        }
        await realize(adam.step({ a: leaf([3], 10 + t), ...(t % 2 === 1 ? { b: leaf([3], 20 + t) } : {}) }));
      }
      return [...(await params.a.data()), ...(await params.b.data())];
    };
    expect(await run(true)).toEqual(await run(false));
  });

  test("take gradients that are views, and parameters of no elements", async () => {
    const params = { w: zeros([2, 3]), none: zeros([0, 3]) };
    const sgd = new SGD(params, { lr: 1 });
    await realize(
      sgd.step({
        w: tensor([
          [1, 2],
          [3, 4],
          [5, 6],
        ]).transpose(),
        none: zeros([0, 3]),
      }),
    );
    expect(await params.w.data()).toEqual(Float32Array.of(-1, -3, -5, -2, -4, -6));
  });

  test("climb when asked to maximise", async () => {
    const params = { w: tensor([1, 1]) };
    await realize(new SGD(params, { lr: 1, maximize: true }).step({ w: tensor([2, 3]) }));
    expect(await params.w.data()).toEqual(Float32Array.of(3, 4));
  });
});

test("an optimiser refuses a name or a tensor that comes twice", () => {
  const w = zeros([2]);
  expect(() => new SGD([{ params: { w } }, { params: { w: zeros([2]) } }], { lr: 1 })).toThrow(
    new OmniError('SGD: each parameter must come once, got "w" as well as "w"'),
  );
  expect(() => new SGD({ w, tied: w }, { lr: 1 })).toThrow('got "tied" as well as "w"');
});
