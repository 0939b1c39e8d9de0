import { expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { getDevice } from "../runtime/device.ts";
import { tensor } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { planCacheOf } from "./realize.ts";

// in a page the same engine runs: enough that a leak would show
const STEPS = "document" in globalThis ? 2_500 : 10_000;
/** Steps after which memory must not grow. */
const SETTLED = 1000;
/** More shapes than plans are kept, so that plans come and go. */
const SHAPES = 131;

test(
  `${STEPS} steps of varied shapes hold no more memory in the end than after the first`,
  { timeout: 600_000 },
  async () => {
    const device = await getDevice();
    const weight = await tensor([0.5]).realize();
    const held = (): number => device.pool.liveBytes + device.pool.pooledBytes;
    let settled = 0;
    let kept: Tensor | null = null;
    for (let step = 0; step < STEPS; step++) {
      // a stride that is prime to the number of shapes visits all of them
      const n = 1 + ((step * 47) % SHAPES);
      const x = tensor(new Float32Array(n).fill(step));
      const loss = x.mul(weight).square().sum();
      const [gradient] = grad(loss, [weight]);
      await realize([loss, weight.assign(weight.sub((gradient as Tensor).mul(0)))]);
      // what is kept a while and then given back, by hand or to the collector
      if (step % 10 === 0) {
        if (step % 20 === 0) kept?.dispose();
        kept = await x.add(1).realize();
      }
      if (step === SETTLED) settled = held();
    }
    expect(await weight.item()).toBe(0.5);
    expect(planCacheOf(device).plans.length).toBeLessThanOrEqual(96);
    // tensors that wait for the collector: at most a few hundred of up to 1 KiB
    expect(held()).toBeLessThanOrEqual(settled + 2 ** 20);
  },
);
