import { expect, test, vi } from "vitest";
import { grad } from "../autograd/grad.ts";
import { DeviceError } from "../base/errors.ts";
import { mseLoss } from "../ops/losses.ts";
import { AdamW } from "../optim/adamw.ts";
import { getDevice } from "../runtime/index.ts";
import { tensor } from "../tensor/create.ts";
import { Rng } from "../tensor/random.ts";
import { full, realize, type Tensor } from "../tensor/tensor.ts";
import { planCacheOf, planOf } from "./realize.ts";

const KIB = 1024;

test("names the kernels and counts the bytes by what they are for", async () => {
  const x = await full([64, 64], 0.5).realize();
  const y = tensor(new Float32Array(64 * 64), { shape: [64, 64] });
  const product = x.matmul(y).matmul(x);
  const plan = await planOf([product]);
  expect(plan.labels).toEqual(["matmul", "matmul"]);
  expect(plan.dispatches).toBe(2);
  // [64, 64] of f32 each; the result of the last product is the root's own, small, so that it is copied out of a slot
  expect(plan.bytes).toEqual({
    tensors: 16 * KIB,
    uploads: 16 * KIB,
    temporaries: 32 * KIB,
    results: 16 * KIB,
  });
  expect(plan.peakBytes).toBe(80 * KIB);
});

test("realize allocates at most what was told", async () => {
  const { pool } = await getDevice();
  const cache = planCacheOf(await getDevice());
  const x = await new Rng(1).normal([300, 500]).realize();
  const make = (): Tensor => x.exp().matmul(x.transpose()).add(1);
  const y = make();
  const { misses } = cache;
  // what is handed out, not what is live: the collector may take what earlier tests left at any moment
  const acquire = vi.spyOn(pool, "acquire");
  const { bytes } = await planOf([y]);
  expect(acquire).not.toHaveBeenCalled();
  expect(cache.misses).toBe(misses);
  await y.realize();
  expect(cache.misses).toBe(misses + 1);
  const taken = acquire.mock.results.reduce((sum, { value }) => sum + (value as GPUBuffer).size, 0);
  acquire.mockRestore();
  // temporaries of other plans may serve this one, too
  expect(taken).toBeLessThanOrEqual(bytes.temporaries + bytes.uploads + bytes.results);
  expect(taken).toBeGreaterThanOrEqual(bytes.results);
  expect(await planOf([make()])).toMatchObject({ bytes: { results: bytes.results } });
});

test("updates leave nothing of their own", async () => {
  const w = await full([100, 100], 0.1).realize();
  const adam = new AdamW({ w }, { lr: 1e-3 });
  const loss = mseLoss(w.matmul(w), full([100, 100], 1));
  const [g] = grad(loss, [w]);
  const { bytes, labels } = await planOf([loss, ...adam.step(g ? { w: g } : {})]);
  expect(labels.filter((label) => label === "adam")).toHaveLength(1);
  expect(bytes.results).toBe(256);
});

test("an error of memory says what the whole plan needs and what there is", async () => {
  const { pool } = await getDevice();
  const x = await full([512, 512], 1).realize();
  const product = x.matmul(x).matmul(x);
  const { budget } = pool;
  Object.assign(pool, { budget: pool.liveBytes + KIB });
  try {
    pool.trim();
    const failed = product.realize();
    await expect(failed).rejects.toThrow(DeviceError);
    await expect(failed).rejects.toThrow(
      /The plan of 2 dispatches needs 3\.0 MiB at once \(1\.0 MiB tensors, 0 KiB uploads, 1\.0 MiB temporaries, 1\.0 MiB results\); the adapter may take .* in use/,
    );
  } finally {
    Object.assign(pool, { budget });
  }
  await realize([product]);
});
