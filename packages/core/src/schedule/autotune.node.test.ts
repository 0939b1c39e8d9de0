import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { topologicalOrder } from "../graph/node.ts";
import { attention, autotune, closeDevice, conv2d, getDevice, grad, realize, tensor, type Tensor } from "../index.ts";
import { noise } from "../kernels/run-program.ts";
import { choiceOf } from "../kernels/tuning.ts";
import type { Device } from "../runtime/index.ts";
import type { TuneMode } from "../runtime/kernel-choices.ts";
import { planCacheOf } from "./realize.ts";
import type { PlanSpec } from "./spec.ts";
import type { MakeTimer } from "./tune.ts";

/** A timer by which the candidate at a place is twice as fast as all others. */
const fakeTimer = (fast: number): MakeTimer & { readonly timed: string[] } => {
  const timed: string[] = [];
  const make: MakeTimer = (_, { key }) => {
    timed.push(key);
    return Promise.resolve({ time: (index) => Promise.resolve(index === fast ? 5 : 10), destroy: () => undefined });
  };
  return Object.assign(make, { timed });
};

const look = (device: Device, tensors: readonly Tensor[]): PlanSpec => {
  const roots = tensors.map(({ node }) => node);
  return planCacheOf(device).look(topologicalOrder(roots), roots);
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-autotune-"));
  vi.stubEnv("XDG_CACHE_HOME", folder);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
  // other files may use the same device
  const device = await getDevice();
  device.tuning.choices.clear();
  planCacheOf(device).clear();
});

/** Runs with a device opened anew, and leaves one as it is by default. */
async function reopened(mode: TuneMode, run: (device: Device) => Promise<void>): Promise<void> {
  await closeDevice();
  try {
    await run(await getDevice({ autotune: mode }));
  } finally {
    await closeDevice();
  }
}

const values = (size: number, seed: number): Float32Array<ArrayBuffer> => new Float32Array(noise(size, seed));

const random = (shape: readonly number[], seed: number): Tensor =>
  tensor(
    values(
      shape.reduce((n, size) => n * size),
      seed,
    ),
    { shape },
  );

/** A product small enough for few tiles, and what it comes to. */
function product(): { make: () => Tensor; expected: number[] } {
  const [x, y] = [values(9 * 40, 1), values(40 * 20, 2)];
  const [a, b] = [tensor(x, { shape: [9, 40] }), tensor(y, { shape: [40, 20] })];
  const expected = Array.from({ length: 180 }, (_, at) => {
    const [i, j] = [Math.floor(at / 20), at % 20];
    return Array.from({ length: 40 }, (__, k) => (x[i * 40 + k] ?? NaN) * (y[k * 20 + j] ?? NaN)).reduce(
      (sum, term) => sum + term,
    );
  });
  return { make: () => a.matmul(b), expected };
}
async function expectProduct(c: Tensor, expected: readonly number[]): Promise<void> {
  const found = Array.from(await c.data(), Number);
  // 40 float32 products of numbers in [-1, 1)
  expect(Math.max(...found.map((value, i) => Math.abs(value - (expected[i] ?? NaN))))).toBeLessThan(1e-4);
}

describe("autotune", () => {
  test("plans made before are made anew with the choice, and give the right answer", async () => {
    const device = await getDevice();
    const { make, expected } = product();
    await expectProduct(make(), expected);
    const before = look(device, [make()]);
    const [kernel] = before.tunable;
    const [first, second] = kernel?.candidates ?? [];
    const timed = await autotune([make()], {}, fakeTimer(1));
    expect(timed).toMatchObject([{ kernel: kernel?.key, choice: second?.name, ratio: 0.5 }]);
    const after = look(device, [make()]);
    expect(before.steps[0]?.wgsl).toBe(first?.program().launches[0]?.wgsl);
    expect(after.steps[0]?.wgsl).toBe(second?.program().launches[0]?.wgsl);
    expect(after.steps[0]?.wgsl).not.toBe(before.steps[0]?.wgsl);
    await expectProduct(make(), expected);
  });

  test("times each kernel once, keeps the choices, and anew where asked", async () => {
    const { make } = product();
    const timer = fakeTimer(1);
    expect(await autotune([make(), make().add(1)], {}, timer)).toHaveLength(1);
    await reopened("ask", async () => {
      expect(await autotune([product().make()], {}, timer)).toHaveLength(0);
      expect(timer.timed).toHaveLength(1);
      expect(await autotune([product().make()], { again: true }, fakeTimer(0))).toMatchObject([{ ratio: 1 }]);
    });
  });

  test("a later process uses what is kept where it asks to, and only there", async () => {
    const { make } = product();
    await autotune([make()], {}, fakeTimer(1));
    const wgslOf = async (mode: TuneMode): Promise<string | undefined> => {
      let wgsl: string | undefined;
      await reopened(mode, (device) => {
        wgsl = look(device, [product().make()]).steps[0]?.wgsl;
        return Promise.resolve();
      });
      return wgsl;
    };
    const [off, ask, use] = [await wgslOf("off"), await wgslOf("ask"), await wgslOf("use")];
    expect(ask).toBe(off);
    expect(use).not.toBe(off);
  });

  test("does nothing where it is off", () =>
    reopened("off", async (device) => {
      const timer = fakeTimer(1);
      expect(await autotune([product().make()], {}, timer)).toEqual([]);
      expect(timer.timed).toEqual([]);
      expect(device.tuning.choices.size).toBe(0);
      expect(existsSync(join(folder, "omni"))).toBe(false);
    }));

  test("times on the device before a plan's first run where that is asked for", () =>
    reopened("tune", async (device) => {
      const { make, expected } = product();
      await expectProduct(make(), expected);
      const [kernel] = look(device, [make()]).tunable;
      const names = kernel?.candidates.map(({ name }) => name);
      expect(names).toContain(device.tuning.choices.get(kernel?.key ?? "")?.name);
      expect(readFileSync(join(folder, "omni", device.tuning.fileName), "utf8")).toContain(device.adapterName);
      const { size } = device.pipelines;
      await expectProduct(make(), expected);
      expect(device.pipelines.size).toBe(size);
    }));
});

const [q, k, v] = [random([1, 2, 20, 64], 5), random([1, 2, 24, 64], 6), random([1, 2, 24, 64], 7)];
const cases: Record<string, () => readonly Tensor[]> = {
  matmul: () => [random([12, 1024], 1).matmul(random([1024, 20], 2))],
  convolution: () => [conv2d(random([1, 8, 6, 6], 3), random([12, 8, 3, 3], 4), null, { padding: 1 })],
  attention: () => [attention(q, k, v), ...grad(attention(q, k, v).square().sum(), [q, k, v])],
};

describe("every candidate gives the chooser's answer to rounding", () => {
  test.each(Object.entries(cases))("%s", async (_, make) => {
    const device = await getDevice();
    const valuesOf = async (): Promise<number[]> => {
      const tensors = make();
      await realize(tensors);
      return (await Promise.all(tensors.map(async (t) => Array.from(await t.data(), Number)))).flat();
    };
    const { tunable } = look(device, make());
    const expected = await valuesOf();
    const most = Math.max(...tunable.map(({ candidates }) => candidates.length));
    expect(most).toBeGreaterThan(1);
    for (let at = 1; at < most; at++) {
      for (const { key, candidates } of tunable) {
        const [first, other] = [candidates[0], candidates[Math.min(at, candidates.length - 1)]];
        if (first && other) device.tuning.choices.set(key, choiceOf(first, other));
      }
      planCacheOf(device).clear();
      const found = await valuesOf();
      const errors = found.map((value, i) => Math.abs(value - (expected[i] ?? NaN)) / (1 + Math.abs(expected[i] ?? 0)));
      // sums of up to 1024 float32 products of numbers in [-1, 1)
      expect(Math.max(...errors), `candidate ${at}`).toBeLessThan(1e-4);
    }
  });
});
