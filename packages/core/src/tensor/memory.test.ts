import { expect, test } from "vitest";
import { Linear } from "../nn/layers.ts";
import { Module } from "../nn/module.ts";
import { closeDevice } from "../runtime/device.ts";
import { memory } from "./memory.ts";
import { zeros } from "./create.ts";

class Net extends Module {
  readonly layers = [new Linear(8, 4), new Linear(4, 2, { bias: false })];
}

test("memory() follows what is kept, and adds up a model by path", async () => {
  // a device of its own: on a shared one the collector takes what others left
  await closeDevice();
  const before = await memory();
  const kept = await zeros([2 ** 20])
    .add(1)
    .realize();
  const during = await memory();
  expect(during.live - before.live).toBeGreaterThanOrEqual(2 ** 22);
  expect(during.peak).toBeGreaterThanOrEqual(during.live);
  kept.dispose();
  expect((await memory()).live).toBeLessThanOrEqual(during.live - 2 ** 22);

  const net = new Net();
  expect((await memory(net)).byPath.get("layers")).toBe(0);
  await net.realize();
  const { byPath } = await memory(net);
  expect([...byPath]).toEqual([
    ["layers", (32 + 4 + 8) * 4],
    ["layers.0", (32 + 4) * 4],
    ["layers.0.weight", 32 * 4],
    ["layers.0.bias", 4 * 4],
    ["layers.1", 8 * 4],
    ["layers.1.weight", 8 * 4],
  ]);
  const text = (await memory(net)).toString();
  expect(text).toMatch(/^live +\d+\.\d\d MiB$/m);
  expect(text).toContain("layers.1");
  expect(text).not.toContain("layers.1.weight");
});
