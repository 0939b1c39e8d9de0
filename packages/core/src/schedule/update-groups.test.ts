import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { topologicalOrder } from "../graph/node.ts";
import { SOFTWARE_TRAITS } from "../kernels/traits.fixture.ts";
import { AdamW } from "../optim/adamw.ts";
import { Ema } from "../optim/ema.ts";
import { SGD } from "../optim/sgd.ts";
import { getDevice } from "../runtime/device.ts";
import { tensor } from "../tensor/create.ts";
import { Rng } from "../tensor/random.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { planGraph } from "./planner.ts";
import { planCacheOf, planOf } from "./realize.ts";

let traits: { software: boolean; maxStorageBuffers: number };
let own: typeof traits;
beforeAll(async () => {
  ({ traits } = await getDevice());
  own = { ...traits };
});
afterEach(() => use(own));

/** Plans are made anew for the traits given. */
async function use(changed: Partial<typeof traits>): Promise<void> {
  planCacheOf(await getDevice()).clear();
  Object.assign(traits, { software: own.software, maxStorageBuffers: own.maxStorageBuffers }, changed);
}

const filled = (n: number, value: number): Promise<Tensor> => tensor(new Float32Array(n).fill(value)).realize();
const tensors = async (sizes: readonly number[], seed: string): Promise<Record<string, Tensor>> =>
  Object.fromEntries(
    await Promise.all(
      sizes.map(async (n, i) => [`p${i}`, await new Rng(3).fork(`${seed} ${i}`).normal([n]).realize()] as const),
    ),
  );
const first = async (t: Tensor): Promise<number> => (await t.data())[0] ?? NaN;

const ADAPTERS = [
  ["this adapter", {}],
  ["an adapter that groups tensors of every size", { software: false }],
  ["a GPU that binds ten buffers", { software: false, maxStorageBuffers: 10 }],
] as const;

describe.each(ADAPTERS)("updates in groups on %s", (_, changed) => {
  test("give the bits of updates one by one", async () => {
    const sizes = [0, 3, 64, 100, 4096, 7, 50_000, 64, 128];
    const train = async (): Promise<number[][]> => {
      const params = await tensors(sizes, "parameter");
      const adam = new AdamW(params, { lr: 0.1, weightDecay: 0.3 });
      const ema = new Ema(params, 0.9);
      for (let i = 0; i < 3; i++) {
        const gradScale = tensor(Float32Array.of(0.5)).mul(0.3);
        const grads = await tensors(sizes, `gradient ${i}`);
        await realize([...adam.step(grads, { gradScale }), ...ema.update()]);
      }
      const all = [params, ema.average, adam.state().moments].flatMap((named) => Object.values(named));
      return Promise.all(all.map(async (t) => [...(await t.data())]));
    };
    await use({ maxStorageBuffers: 1 });
    const alone = await train();
    await use(changed);
    expect(await train()).toEqual(alone);
  });

  test("copy tensors of every type", async () => {
    await use(changed);
    const pairs = await Promise.all(
      (["f32", "f16", "bf16", "u8", "bool", "i32"] as const).flatMap((dtype) =>
        [3, 8, 33].map(async (n) => {
          const from = tensor(
            Float32Array.from({ length: n }, (_, i) => (i + n) % 2),
            { shape: [n] },
          ).cast(dtype);
          return [await tensor(new Float32Array(n)).cast(dtype).realize(), await from.realize()] as const;
        }),
      ),
    );
    await realize(pairs.map(([to, from]) => to.assign(from)));
    for (const [to, from] of pairs) expect(await to.data()).toEqual(await from.data());
  });

  test("exchange tensors in rings, beside others", async () => {
    await use(changed);
    for (const n of [3, 8]) {
      const ring = await Promise.all(Array.from({ length: 7 }, (_, i) => filled(n, i)));
      const others = await Promise.all(Array.from({ length: 7 }, () => filled(n, -1)));
      await realize(
        ring.flatMap((x, i) => [others[i]?.assign(x) as Tensor, x.assign(ring[(i + 1) % ring.length] as Tensor)]),
      );
      expect(await Promise.all(ring.map(first))).toEqual([1, 2, 3, 4, 5, 6, 0]);
      expect(await Promise.all(others.map(first))).toEqual([0, 1, 2, 3, 4, 5, 6]);
    }
  });

  test("keep the order of two updates of a tensor, though the first must wait for a reader and the second need not", async () => {
    await use(changed);
    const params = { x: await filled(8, 1), y: await filled(8, 2) };
    const [gradient, copy] = [await filled(8, 4), await filled(8, 0)];
    const sgd = new SGD({ x: params.x }, { lr: 0.5, momentum: 0.9 });
    await realize(sgd.step({ x: gradient })); // x = 1 − 0.5 · 4, momentum 4
    const momentum = sgd.state().moments["x.momentum"] as Tensor;
    await realize([
      params.y.assign(copy),
      ...sgd.step({ x: gradient }),
      params.x.assign(params.y),
      copy.assign(momentum),
    ]);
    // x is y's old value, copy the momentum from before this step
    expect([await first(params.x), await first(params.y), await first(copy)]).toEqual([2, 0, 4]);
  });

  test("do not overtake another update of the same tensor", async () => {
    await use(changed);
    const [x, y] = [await filled(8, 1), await filled(8, 2)];
    const sgd = new SGD({ y }, { lr: 0.5 });
    await realize([x.assign(y), ...sgd.step({ y: await filled(8, 4) }), y.assign(await filled(8, 7))]);
    expect([await first(x), await first(y)]).toEqual([2, 7]);
    // 7 − 0.5 · 4
    await realize([
      x.assign(await filled(8, 9)),
      y.assign(await filled(8, 7)),
      ...sgd.step({ y: await filled(8, 4) }),
      x.assign(await filled(8, 3)),
    ]);
    expect([await first(x), await first(y)]).toEqual([3, 5]);
  });
});

describe("the dispatches of updates", () => {
  const count = (labels: readonly string[], label: string): number => labels.filter((l) => l === label).length;

  test("are as few as the adapter's bindings allow, averages beside them", async () => {
    const params = await tensors(new Array<number>(10).fill(48), "parameter");
    const grads = await tensors(new Array<number>(10).fill(48), "gradient");
    const adam = new AdamW(params, { lr: 0.1 });
    const ema = new Ema(params, 0.9);
    await realize([...adam.step(grads), ...ema.update()]);
    const { labels } = await planOf([...adam.step(grads), ...ema.update()]);
    // four and two tensors a member; settings and the gradient's scale, and settings, are shared
    const members = [(own.maxStorageBuffers - 2) / 4, (own.maxStorageBuffers - 1) / 2].map(Math.floor);
    expect([count(labels, "adam"), count(labels, "lerp")]).toEqual(members.map((n) => Math.ceil(10 / n)));
  });

  test("are apart for groups of parameters with other settings", async () => {
    await use({ maxStorageBuffers: 10 });
    const grads = await tensors([8, 8, 8, 8], "gradient");
    const { p0, p1, p2, p3 } = await tensors([8, 8, 8, 8], "parameter");
    const params = [{ params: { p0, p2 } as Record<string, Tensor> }, { params: { p1, p3 } as Record<string, Tensor> }];
    const adam = new AdamW(params, { lr: 0.1 });
    await realize(adam.step(grads));
    expect(count((await planOf(adam.step(grads))).labels, "adam")).toBe(2);
  });

  test("hold large tensors alone on a software adapter, where small ones pass them by", () => {
    const sizes = [8, 5000, 8, 5000, 8];
    const roots = sizes.map((n) => tensor(new Float32Array(n)).assign(tensor(new Float32Array(n))).node);
    const plan = (software: boolean): number =>
      planGraph(topologicalOrder(roots), roots, { ...SOFTWARE_TRAITS, software, maxStorageBuffers: 10 }).steps.length;
    expect([plan(true), plan(false)]).toEqual([3, 1]);
  });

  // 0.3 s; a planner that compares every update with all others for each takes minutes
  test("of hundreds of parameters with averages are planned", () => {
    const make = (): Tensor => tensor(new Float32Array(8));
    const params = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`p${i}`, make()]));
    const average = Object.fromEntries(Object.keys(params).map((name) => [name, make()]));
    const sgd = new SGD(params, { lr: 0.1 });
    const grads = Object.fromEntries(Object.keys(params).map((name) => [name, make()]));
    const tokens = [...sgd.step(grads), ...new Ema(params, 0.9, { updates: 0, average }).update()];
    const roots = tokens.map(({ node }) => node);
    const { steps } = planGraph(topologicalOrder(roots), roots, SOFTWARE_TRAITS);
    // sgd and lerp, three members each: (8 − 2) / 2 and (8 − 1) / 2
    expect(steps.length).toBe(2 * Math.ceil(500 / 3));
  });
});
