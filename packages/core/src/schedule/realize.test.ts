import { describe, expect, test } from "vitest";
import { DeviceError, StaleTensorError } from "../base/errors.ts";
import { closeDevice, getDevice } from "../runtime/index.ts";
import { ones, tensor, zeros } from "../tensor/create.ts";
import { concat } from "../tensor/join.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { planCacheOf } from "./realize.ts";

const MIB = 2 ** 20;
const counting = (n: number): Tensor => tensor(Float32Array.from({ length: n }, (_, i) => i));
const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];

describe("realize", () => {
  test("takes any mixture of roots: twice the same, views, leaves, constants, nothing", async () => {
    const leaf = counting(6);
    const y = leaf.mul(2);
    const view = y.reshape([2, 3]).transpose();
    const roots = [y, y, leaf, view, leaf.slice(0, 1, 3), leaf.reshape([3, 2]), ones([2]), zeros([0]), y.reshape([6])];
    await realize(roots);
    await realize([]);
    await realize(roots);
    expect(await Promise.all(roots.map(values))).toEqual([
      [0, 2, 4, 6, 8, 10],
      [0, 2, 4, 6, 8, 10],
      [0, 1, 2, 3, 4, 5],
      [0, 6, 2, 8, 4, 10],
      [1, 2],
      [0, 1, 2, 3, 4, 5],
      [1, 1],
      [],
      [0, 2, 4, 6, 8, 10],
    ]);
  });

  test("large roots that share values each own a buffer", async () => {
    const n = 50_000;
    const y = counting(n).add(1);
    const roots = [y, y.reshape([2, n / 2]), y.detach(), y.add(0).mul(1)];
    await realize(roots);
    y.dispose();
    for (const root of roots.slice(1)) expect((await root.data())[n - 1]).toBe(n);
  });

  test("slices of one tensor that differ in length alone are different plans", async () => {
    const x = await counting(1000).realize();
    const [short, long] = [x.slice(0, 5, 30), x.slice(0, 5, 300)];
    await short.realize();
    await long.realize();
    expect((await short.data()).length).toBe(25);
    expect((await long.data())[294]).toBe(299);
  });

  test("calls that run at once each see their own values, in the order of the calls", async () => {
    const x = await counting(5).realize();
    const results = await Promise.all(Array.from({ length: 12 }, (_, i) => x.add(tensor(i)).data()));
    results.forEach((r, i) => expect([...r]).toEqual([0, 1, 2, 3, 4].map((v) => v + i)));
    const update = realize([x.assign(x.mul(10))]);
    const after = x.data();
    expect([...(await after)]).toEqual([0, 10, 20, 30, 40]);
    await update;
  });

  test("a tensor that is realised keeps no recipe: its inputs may go", async () => {
    const x = await counting(100).realize();
    const y = await x.add(1).realize();
    x.dispose();
    expect((await y.data())[99]).toBe(100);
  });

  test("an expression of more inputs than one dispatch can bind comes out right", async () => {
    const inputs = Array.from({ length: 23 }, (_, i) => tensor(new Float32Array(64).fill(i), { shape: [8, 8] }));
    const ramp = tensor(
      Float32Array.from({ length: 64 }, (_, i) => i),
      { shape: [8, 8] },
    );
    const total = inputs.reduce((a, b) => a.add(b.mul(ramp).add(b.transpose())), zeros([8, 8]));
    const sum = (23 * 22) / 2;
    expect(await values(total)).toEqual(Array.from({ length: 64 }, (_, i) => sum * i + sum));
    const twice = inputs
      .slice(0, 7)
      .map((x) => x.mul(ramp).add(x.add(ramp).transpose()))
      .reduce((a, b) => a.add(b));
    const seven = 21;
    const expected = (i: number): number => seven * i + seven + 7 * ((i % 8) * 8 + Math.floor(i / 8));
    expect(await values(twice)).toEqual(Array.from({ length: 64 }, (_, i) => expected(i)));
    expect(await twice.sum().item()).toBe(Array.from({ length: 64 }, (_, i) => expected(i)).reduce((a, b) => a + b));
    expect((await values(concat([total, twice])))[64 + 9]).toBe(expected(9));
  });

  test("a very long chain comes out right", async () => {
    let y = counting(4);
    for (let i = 0; i < 600; i++) y = y.add(tensor(1));
    expect(await values(y)).toEqual([600, 601, 602, 603]);
  });
});

describe("reading", () => {
  test("of a temporary leaves nothing on the device", async () => {
    const { pool } = await getDevice();
    const x = await ones([1 << 16]).realize();
    await x.add(tensor(0)).data();
    const before = pool.liveBytes;
    for (let i = 0; i < 20; i++) await x.add(tensor(i)).data();
    expect(pool.liveBytes).toBeLessThanOrEqual(before);
    x.dispose();
  });

  test("gives the same again, and the tensor goes on being usable", async () => {
    const y = counting(2000).mul(3);
    const [first, second] = [await y.data(), await y.data()];
    expect(first).toEqual(second);
    expect(await y.sub(counting(2000).mul(3)).abs().sum().item()).toBe(0);
    await y.realize();
    expect(await y.data()).toEqual(first);
  });

  test("of scalars that nobody waited for works in any order", async () => {
    const losses: Tensor[] = [];
    for (let i = 0; i < 30; i++) {
      const loss = ones([100]).mul(tensor(i)).sum();
      void realize([loss]);
      losses.push(loss);
    }
    const read = await Promise.all(losses.reverse().map((l) => l.item()));
    expect(read).toEqual(Array.from({ length: 30 }, (_, i) => 100 * (29 - i)));
  });
});

describe("values from the host", () => {
  test("are written once for a plan that runs again, and anew for other tensors", async () => {
    const device = await getDevice();
    const write = device.write.bind(device);
    let writes = 0;
    Object.assign(device, {
      write: (...args: Parameters<typeof write>) => {
        writes++;
        write(...args);
      },
    });
    try {
      const x = counting(37);
      const run = (): Promise<number> => x.cos().square().sum().item();
      const first = await run();
      const before = writes;
      expect(await run()).toBe(first);
      expect(await run()).toBe(first);
      expect(writes).toBe(before);
      const other = tensor(new Float32Array(37));
      expect(await other.cos().square().sum().item()).toBe(37);
      expect(writes).toBe(before + 1);
      expect(await run()).toBe(first);
    } finally {
      Object.assign(device, { write });
    }
  });
});

describe("dispose", () => {
  test("gives the buffer back at once; using the tensor afterwards is an error that says so", async () => {
    // a device of its own: on a shared one the collector takes what others left
    await closeDevice();
    const { pool } = await getDevice();
    const twin = await ones([1 << 16]).realize();
    await realize([twin.assign(twin.mul(2))]); // its plan keeps a slot
    twin.dispose();
    const before = pool.liveBytes;
    const x = await ones([1 << 16]).realize();
    expect(pool.liveBytes).toBeGreaterThan(before);
    const y = x.add(1);
    x.dispose();
    x.dispose();
    expect(pool.liveBytes).toBeLessThanOrEqual(before);
    const message = "tensor: must not be used after dispose()";
    await expect(x.data()).rejects.toThrow(message);
    await expect(y.realize()).rejects.toThrow(message);
    await expect(realize([x.assign(x.mul(2))])).rejects.toThrow(message);
    // nothing is left behind by the attempts
    expect(pool.liveBytes).toBeLessThanOrEqual(before);
  });

  test("of what is not on the device does nothing", async () => {
    const [leaf, lazy] = [counting(3), counting(3).add(1)];
    leaf.dispose();
    lazy.dispose();
    expect(await values(leaf.add(lazy))).toEqual([1, 3, 5]);
  });

  test("happens at the end of a using block", async () => {
    const { pool } = await getDevice();
    const before = pool.liveBytes;
    {
      using x = await ones([1 << 16]).realize();
      expect(x.size).toBe(1 << 16);
    }
    expect(pool.liveBytes).toBeLessThanOrEqual(before);
  });
});

describe("expressions on tensors that changed since", () => {
  test("are refused, and can be recorded again", async () => {
    const x = await counting(100).realize();
    const y = x.add(1);
    await realize([x.assign(x.mul(2))]);
    await expect(y.data()).rejects.toThrow(StaleTensorError);
    await expect(y.data()).rejects.toThrow(
      "realize: a tensor of shape [100] was changed in place after an expression on it was recorded; " +
        "realize the expression before the update, or record it again",
    );
    expect((await x.add(1).data())[3]).toBe(7);
  });
});

describe("plans", () => {
  test("are kept by structure: other values hit, other constants miss", async () => {
    const cache = planCacheOf(await getDevice());
    const run = (x: number, factor: number): Promise<number> => tensor([x, 1, 2]).mul(factor).sum().item();
    await run(0, 3);
    const { hits, misses } = cache;
    expect([await run(1, 3), await run(2, 3)]).toEqual([12, 15]);
    expect([cache.hits - hits, cache.misses - misses]).toEqual([2, 0]);
    expect(await run(1, 4)).toBe(16);
    expect(cache.misses - misses).toBe(1);
  });

  test("beyond the cache's size give their buffers back, and are made anew", async () => {
    const { pool } = await getDevice();
    const run = (n: number): Promise<number> => counting(n).mul(2).sum().item();
    const cache = planCacheOf(await getDevice());
    for (let n = 300; n < 420; n++) expect(await run(n)).toBe(n * (n - 1));
    expect(cache.plans.length).toBe(96);
    const before = pool.liveBytes;
    const { misses } = cache;
    for (let n = 300; n < 420; n++) await run(n);
    expect(cache.misses - misses).toBe(120);
    expect(pool.liveBytes).toBeLessThanOrEqual(before);
  });
});

describe("another device", () => {
  test("does not have the tensors of one that was closed, and says so once and clearly", async () => {
    const gone = await counting(1000).add(1).realize();
    const scalar = gone.sum();
    await scalar.realize(); // is on its way to the host
    await closeDevice();
    const lost = {
      name: "DeviceError",
      kind: "lost",
      message: expect.stringMatching(/shape \[1000\] went with the device/) as string,
    };
    await expect(scalar.data()).rejects.toThrow(DeviceError);
    await expect(gone.data()).rejects.toMatchObject(lost);
    await expect(gone.mul(2).realize()).rejects.toMatchObject(lost);
    gone.dispose();
    expect(await values(tensor([1, 2, 3]).add(1))).toEqual([2, 3, 4]);
  });
});

describe("memory", () => {
  test("past the budget is refused with what to do, and nothing is lost by it", async () => {
    await closeDevice();
    const { pool } = await getDevice({ memoryBudget: 24 * MIB });
    try {
      const x = await ones([MIB]).realize();
      const before = pool.liveBytes;
      const large = (): Tensor =>
        x
          .reshape([1024, 1024])
          .matmul(ones([1024, 1024]).add(tensor(1)))
          .matmul(ones([1024, 4096]).exp());
      await expect(large().realize()).rejects.toThrow(
        "use smaller batches or sizes, dispose of tensors you keep, or raise getDevice({ memoryBudget })",
      );
      await expect(large().exp().realize()).rejects.toMatchObject({ name: "DeviceError", kind: "out-of-memory" });
      expect(pool.liveBytes).toBeLessThanOrEqual(before);
      expect(await x.mul(2).sum().item()).toBe(2 * MIB);
    } finally {
      await closeDevice();
    }
  });
});
