import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { AdamW } from "../optim/adamw.ts";
import { getDevice } from "../runtime/device.ts";
import { Rng } from "../tensor/random.ts";
import { tensor } from "../tensor/create.ts";
import { concat } from "../tensor/join.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";

// Adapters bind 128 MiB and more; what holds at a limit is seen at a small one as well.
const LIMIT = 8192;
let traits: { maxStorageBinding: number };
let before = 0;
beforeAll(async () => {
  traits = (await getDevice()).traits as { maxStorageBinding: number };
  before = traits.maxStorageBinding;
});
afterAll(() => {
  traits.maxStorageBinding = before;
});

/** A plan is kept for its graph: beside this the graphs under the two limits differ. */
const marker = (): Tensor => tensor(new Float32Array(traits.maxStorageBinding === LIMIT ? 1 : 2)).sum();

/** What `make` gives under the small limit, and without one. */
async function both(make: () => Tensor): Promise<[Float32Array, Float32Array]> {
  const once = async (limit: number): Promise<Float32Array> => {
    traits.maxStorageBinding = limit;
    const y = make();
    await realize([y, marker()]);
    const values = await y.cast("f32").data();
    y.dispose();
    return values as Float32Array;
  };
  return [await once(LIMIT), await once(before)];
}

const rng = new Rng(5);
const x = rng.normal([61, 97]); // 23,668 bytes: three bindings
const wide = rng.normal([97, 40]);
const bias = rng.normal([97]);
const column = rng.normal([61, 1]);

const cases: [string, () => Tensor][] = [
  ["an elementwise chain with broadcasts", () => x.mul(2).add(bias).mul(column).silu()],
  ["a transposition", () => x.transpose().add(0)],
  ["a slice that starts anywhere", () => x.slice(0, 7).slice(1, 3).mul(2)],
  ["a reversed view", () => x.flip(0).flip(1).add(1)],
  ["padding", () => x.pad([[1, 2], [3, 0]], 5)], // prettier-ignore
  ["reductions of each axis", () => x.sum({ axis: 0 }).add(x.transpose().max({ axis: 1 }))],
  ["a sum of all", () => x.square().sum()],
  ["a join along the first axis", () => concat([x, x.mul(2), x.slice(0, 3, 50)])],
  ["a join along the last axis", () => concat([x, x.neg(), x.slice(1, 3, 50)], { axis: 1 })],
  ["random numbers", () => new Rng(9).normal([61, 100]).add(0)],
  ["halves", () => x.cast("bf16").add(1).cast("bf16")],
  ["a product of large matrices", () => x.matmul(wide)],
  ["a product with a large right side", () => x.slice(0, 0, 3).matmul(x.transpose().slice(0, 0, 97))],
  [
    "products of a batch",
    () =>
      rng
        .fork("a")
        .normal([9, 20, 30])
        .matmul(rng.fork("b").normal([9, 30, 25])),
  ],
  ["the gradient of a layer", () => grad(x.matmul(wide).silu().square().sum(), [x])[0] as Tensor],
];

describe("tensors larger than a binding", () => {
  test.each(cases)("%s", async (_, make) => {
    await realize([x, wide, bias, column]);
    const [got, expected] = await both(make);
    expect(got.length).toBe(expected.length);
    let worst = 0;
    expected.forEach(
      (value, i) => (worst = Math.max(worst, Math.abs(value - (got[i] ?? NaN)) / (1 + Math.abs(value)))),
    );
    expect(worst).toBeLessThan(1e-5);
  });

  test("are trained in place", async () => {
    const start = await new Rng(2).normal([50, 101]).data();
    const train = async (): Promise<Tensor> => {
      const weight = await tensor(start as Float32Array<ArrayBuffer>, { shape: [50, 101] }).realize();
      const optimizer = new AdamW({ weight }, { lr: 0.1, weightDecay: 0.5 });
      for (let i = 0; i < 2; i++) await realize([...optimizer.step({ weight: weight.mul(2) }), marker()]);
      await realize([weight.assign(weight.add(1)), marker()]);
      return weight;
    };
    const run = async (limit: number): Promise<number[]> => {
      traits.maxStorageBinding = limit;
      return [...(await (await train()).data())];
    };
    const got = await run(LIMIT);
    expect(got).toEqual(await run(before));
  });

  test("say so where one kernel needs more", async () => {
    traits.maxStorageBinding = LIMIT;
    const { conv1d } = await import("../ops/conv.ts");
    const y = conv1d(rng.normal([1, 4, 3000]), rng.normal([4, 4, 3]));
    const { pool } = await getDevice();
    const held = pool.liveBytes;
    await expect(y.realize()).rejects.toThrow("must fit a storage binding of 8192 bytes");
    expect(pool.liveBytes).toBeLessThanOrEqual(held);
  });
});
