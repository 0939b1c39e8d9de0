import { beforeAll, expect, test, vi } from "vitest";
import { DeviceError } from "../base/errors.ts";
import { BufferPool } from "./buffer-pool.ts";
import { getDevice } from "./device.ts";

const MIB = 2 ** 20;
let gpu: GPUDevice;

beforeAll(async () => {
  gpu = (await getDevice()).gpu;
});

test("2,000 temporaries of 4 MiB take one buffer", () => {
  const pool = new BufferPool(gpu);
  for (let step = 0; step < 2000; step++) pool.release(pool.acquire(4 * MIB));
  expect(pool.created).toBe(1);
  expect(pool.peakBytes).toBe(4 * MIB);
  expect(pool.liveBytes).toBe(0);
  pool.destroy();
});

test("bytes are accounted for", () => {
  const pool = new BufferPool(gpu);
  const a = pool.acquire(1000);
  const b = pool.acquire(5 * MIB);
  expect(a.size).toBe(1024);
  expect(pool.liveBytes).toBe(1024 + 5 * MIB);
  pool.release(a);
  expect([pool.liveBytes, pool.pooledBytes]).toEqual([5 * MIB, 1024]);
  expect(pool.acquire(1020)).toBe(a);
  pool.release(a);
  pool.release(b);
  expect(pool.peakBytes).toBe(1024 + 5 * MIB);
  pool.trim();
  expect(pool.pooledBytes).toBe(0);
  pool.destroy();
});

test("an empty tensor has a buffer", () => {
  const pool = new BufferPool(gpu);
  expect(pool.acquire(0).size).toBe(256);
  pool.destroy();
});

test("two live buffers are never the same", () => {
  const pool = new BufferPool(gpu);
  expect(pool.acquire(64)).not.toBe(pool.acquire(64));
  pool.destroy();
});

test("past the budget it first gives up waiting buffers, then says so", () => {
  const pool = new BufferPool(gpu, { budget: 8 * MIB });
  pool.release(pool.acquire(6 * MIB));
  const kept = pool.acquire(4 * MIB);
  expect(pool.pooledBytes).toBe(0);
  expect(() => pool.acquire(5 * MIB)).toThrow(
    /5\.0 MiB passes the memory budget: 4\.0 MiB live of 8\.0 MiB; .*memoryBudget/,
  );
  pool.release(kept);
  pool.acquire(5 * MIB);
  pool.destroy();
});

test("releases that nothing reuses are trimmed, the oldest first", () => {
  const pool = new BufferPool(gpu);
  const pile = Array.from({ length: 11 }, () => pool.acquire(100 * MIB));
  for (const buffer of pile) pool.release(buffer);
  expect(pool.pooledBytes).toBeLessThanOrEqual(1024 * MIB);
  expect(pool.acquire(100 * MIB)).toBe(pile.at(-1));
  pool.destroy();
});

test("a second release is a broken invariant", () => {
  const pool = new BufferPool(gpu);
  const buffer = pool.acquire(16);
  pool.release(buffer);
  expect(() => pool.release(buffer)).toThrow(/twice/);
  pool.destroy();
});

test("an allocation that fails after the fact is reported as out of memory", async () => {
  const onError = vi.fn();
  const failing = {
    limits: gpu.limits,
    pushErrorScope: () => {},
    popErrorScope: () => Promise.resolve({ message: "no memory" } as GPUError),
    createBuffer: (descriptor: GPUBufferDescriptor) => ({ size: descriptor.size, destroy: () => {} }),
  } as unknown as GPUDevice;
  new BufferPool(failing, { onError }).acquire(32 * MIB);
  await vi.waitFor(() => expect(onError).toHaveBeenCalledOnce());
  const error: unknown = onError.mock.calls[0]?.[0];
  expect(error).toBeInstanceOf(DeviceError);
  expect(error).toMatchObject({ kind: "out-of-memory", message: expect.stringContaining("32.0 MiB") });
});
