import { describe, expect, test } from "vitest";
import { DeviceError, ShapeError, StaleTensorError } from "../base/errors.ts";
import { getDevice } from "../runtime/index.ts";
import { Ema } from "../optim/ema.ts";
import { ones, tensor, zeros } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";

const SIZES = [3, 8, 100, 50_000];
const filled = (n: number, value: number): Tensor => tensor(new Float32Array(n).fill(value));
/** First and last value. */
const ends = async (t: Tensor): Promise<number[]> => {
  const data = await t.data();
  return [data[0] ?? NaN, data.at(-1) ?? NaN];
};

describe.each(SIZES)("assign to %i elements", (n) => {
  test("writes into the tensor's own buffer", async () => {
    const x = await filled(n, 1).realize();
    const before = x.node.source;
    await realize([x.assign(x.mul(5).add(1))]);
    expect(await ends(x)).toEqual([6, 6]);
    if (n > 16 && before?.kind === "device" && x.node.source?.kind === "device")
      expect(x.node.source.storage).toBe(before.storage);
  });

  test("comes after everything else in the call has read the old values, views included", async () => {
    const x = await filled(n, 1).realize();
    const roots = [x.add(1), x.reshape([n, 1]), x.slice(0, 1), x.flip(0), x.sum(), x.detach()];
    await realize([x.assign(filled(n, 7)), ...roots]);
    expect(await ends(x)).toEqual([7, 7]);
    for (const [i, root] of roots.entries())
      expect(await ends(root)).toEqual(
        [
          [2, 2],
          [1, 1],
          [1, 1],
          [1, 1],
          [n, n],
          [1, 1],
        ][i],
      );
  });

  test("swaps two tensors", async () => {
    const [x, y] = [await filled(n, 1).realize(), await filled(n, 2).realize()];
    await realize([x.assign(y), y.assign(x)]);
    expect([await ends(x), await ends(y)]).toEqual([
      [2, 2],
      [1, 1],
    ]);
  });

  test("goes round in a ring of three, and a view of oneself is read whole", async () => {
    const [x, y, z] = [await filled(n, 1).realize(), await filled(n, 2).realize(), await filled(n, 3).realize()];
    await realize([x.assign(y.mul(10)), y.assign(z), z.assign(x)]);
    expect([await ends(x), await ends(y), await ends(z)]).toEqual([
      [20, 20],
      [3, 3],
      [1, 1],
    ]);
    const ramp = await tensor(Float32Array.from({ length: n }, (_, i) => i)).realize();
    await realize([ramp.assign(ramp.flip(0))]);
    expect(await ends(ramp)).toEqual([n - 1, 0]);
  });
});

describe("updates", () => {
  test("of tensors that are not realised yet realise them first", async () => {
    const [host, lazy] = [filled(20, 1), filled(20, 1).add(1)];
    await realize([host.assign(host.add(lazy)), lazy.assign(lazy.mul(lazy))]);
    expect([await ends(host), await ends(lazy)]).toEqual([
      [3, 3],
      [4, 4],
    ]);
    await realize([host.assign(ones([20]))]);
    expect(await ends(host)).toEqual([1, 1]);
  });

  test("of one tensor twice in a call: the last one holds", async () => {
    const x = await filled(40, 1).realize();
    await realize([x.assign(x.add(1)), x.assign(x.add(10))]);
    expect(await ends(x)).toEqual([11, 11]);
  });

  test("happen once, however often the token is realised", async () => {
    const x = await filled(40, 1).realize();
    const token = x.assign(x.add(1));
    await realize([token, token]);
    await realize([token]);
    expect(await ends(x)).toEqual([2, 2]);
    expect(await token.data()).toEqual(new Float32Array(0));
  });

  test("recorded before another update of the same tensor are stale", async () => {
    const x = await filled(40, 1).realize();
    const [first, second] = [x.assign(x.add(1)), x.assign(x.add(1))];
    await realize([first]);
    await expect(realize([second])).rejects.toThrow(StaleTensorError);
    expect(await ends(x)).toEqual([2, 2]);
  });

  test("keep whole numbers and bools bit by bit", async () => {
    const i = await tensor([1, -2, 3], { dtype: "i32" }).realize();
    const b = await tensor([1, 0, 1], { dtype: "bool" }).realize();
    await realize([i.assign(i.mul(-7)), b.assign(b.not())]);
    expect([await i.data(), await b.data()]).toEqual([Int32Array.of(-7, 14, -21), Uint32Array.of(0, 1, 0)]);
  });

  test("of nothing do nothing", async () => {
    const x = await zeros([0]).realize();
    await realize([x.assign(zeros([0]).add(x))]);
    expect((await x.data()).length).toBe(0);
  });

  test("of a disposed tensor are refused", async () => {
    const x = await filled(40, 1).realize();
    x.dispose();
    await expect(realize([x.assign(ones([40]))])).rejects.toThrow(DeviceError);
  });

  test("must have the tensor's shape and dtype", () => {
    const x = filled(4, 1);
    expect(() => x.assign(ones([1]))).toThrow(new ShapeError("assign: value must be f32 [4], got f32 [1]"));
    expect(() => x.assign(ones([4], "i32"))).toThrow("assign: value must be f32 [4], got i32 [4]");
  });
});

describe("averages beside updates", () => {
  test("read the values from before the update of the same call", async () => {
    const x = await filled(64, 1).realize();
    const ema = new Ema({ x }, 0.5);
    // decay of the first update: min(0.5, 2/11)
    await realize([x.assign(x.add(10)), ...ema.update()]);
    expect(await ends(ema.average["x"] ?? zeros([1]))).toEqual([1, 1]);
    await realize([...ema.update(), x.assign(x.add(10))]);
    const decay = 3 / 12;
    const expected = Math.fround(1 + (1 - decay) * (11 - 1));
    expect((await ends(ema.average["x"] ?? zeros([1])))[0]).toBeCloseTo(expected, 5);
    expect(await ends(x)).toEqual([21, 21]);
  });

  test("make no buffers once they run", async () => {
    const { pool } = await getDevice();
    const x = await filled(1000, 1).realize();
    const ema = new Ema({ x }, 0.9);
    const step = (): Promise<void> => realize([x.assign(x.mul(0.5)), ...ema.update()]);
    for (let i = 0; i < 3; i++) await step();
    const { created, liveBytes } = pool;
    for (let i = 0; i < 20; i++) await step();
    expect(pool.created).toBe(created);
    // the collector may free what earlier tests left
    expect(pool.liveBytes).toBeLessThanOrEqual(liveBytes);
  });
});
