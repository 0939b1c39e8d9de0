import { expect, test } from "vitest";
import { AdamW } from "../optim/adamw.ts";
import { getDevice } from "../runtime/index.ts";
import { Rng } from "../tensor/random.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { difference } from "../testing/allclose.ts";
import { planCacheOf, warmUp } from "./realize.ts";

test("compiles what realising needs, and computes nothing", async () => {
  const device = await getDevice();
  const rng = new Rng(5);
  const [x, w] = [rng.fork("x").normal([33, 28]), rng.fork("w").normal([28, 36])];
  await realize([x, w]);
  const make = (): Tensor => x.matmul(w).sin().sum({ axis: 1 }).mul(0.3).tan();
  const before = device.pipelines.size;
  const warm = make();
  await warmUp([warm]);
  const compiled = device.pipelines.size;
  expect(compiled).toBeGreaterThan(before);
  expect(warm.node.source).toBeNull();
  const { misses } = planCacheOf(device);
  const y = await make().realize();
  expect([device.pipelines.size, planCacheOf(device).misses]).toEqual([compiled, misses]);
  const stored = await x.matmul(w).realize();
  const expected = await stored.sin().sum({ axis: 1 }).mul(0.3).tan().data();
  // a sum of 36 numbers in another order
  expect(difference(await y.data(), expected, { absolute: 1e-5, relative: 1e-5 })).toBeNull();
});

test("leaves what an update would write as it is", async () => {
  const w = await new Rng(6).normal([40]).realize();
  const old = await w.data();
  const adam = new AdamW({ w }, { lr: 0.1 });
  const tokens = adam.step({ w: w.mul(2) });
  await warmUp(tokens);
  expect(await w.data()).toEqual(old);
  await realize(tokens);
  expect(await w.data()).not.toEqual(old);
});

test("of realised tensors has nothing to do", async () => {
  const x = await new Rng(7).normal([4]).realize();
  await expect(warmUp([x])).resolves.toBeUndefined();
});
