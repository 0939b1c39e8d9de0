import { expect, test } from "vitest";
import { DeviceError } from "../base/errors.ts";
import { BUFFER_USAGE } from "./buffer-usage.ts";
import { getDevice } from "./device.ts";
import { readBuffer } from "./readback.ts";

const COPY = `
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) { y[id.x] = x[id.x]; }`;

test("there is one device, and it says what it is", async () => {
  const device = await getDevice();
  expect(await getDevice()).toBe(device);
  expect(await getDevice({ adapter: "auto" })).toBe(device);
  expect(device.description).toContain(device.adapterName);
  expect(device.description.includes("hundreds of times faster")).toBe(device.traits.software);
  expect(device.description).not.toContain("\n");
  expect(device.isLost).toBe(false);
});

test("asking for another kind of adapter than the open one is refused", async () => {
  await getDevice();
  await expect(getDevice({ adapter: "software" })).rejects.toThrow(/closeDevice\(\)/);
});

test("traits are within what WebGPU guarantees", async () => {
  const { traits, gpu } = await getDevice();
  expect(traits.maxWorkgroupSize).toBeGreaterThanOrEqual(256);
  expect(traits.maxWorkgroupStorage).toBeGreaterThanOrEqual(16_384);
  expect(traits.maxStorageBinding).toBeGreaterThanOrEqual(2 ** 27);
  expect(traits.subgroupMinSize).toBeLessThanOrEqual(traits.subgroupMaxSize);
  expect(traits.maxStorageBuffers).toBe(gpu.limits.maxStorageBuffersPerShaderStage);
  expect(traits.maxStorageBuffers).toBeGreaterThanOrEqual(8);
  expect(traits.maxStorageBuffers).toBeLessThanOrEqual(16);
});

test("the largest buffer that a software adapter advertises can be allocated", async () => {
  const { gpu, traits } = await getDevice();
  if (!traits.software || gpu.limits.maxBufferSize > 2 ** 30) return;
  gpu.pushErrorScope("out-of-memory");
  const buffer = gpu.createBuffer({ size: gpu.limits.maxBufferSize, usage: BUFFER_USAGE.STORAGE });
  const error = await gpu.popErrorScope();
  buffer.destroy();
  expect(error).toBeNull();
});

test("a call that validation refuses is thrown once, at the next await, however often it recurs", async () => {
  const device = await getDevice();
  const accesses = ["read", "read_write"] as const;
  const { pipeline, layout } = await device.pipelines.getPipeline(COPY, accesses, false, "copy");
  const buffer = device.pool.acquire(256);
  // One buffer read and written in one dispatch: the specification forbids it.
  const entries = [0, 1].map((binding) => ({ binding, resource: { buffer } }));
  const group = device.gpu.createBindGroup({ layout, entries });
  for (let attempt = 0; attempt < 20; attempt++) {
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(1);
    pass.end();
    device.submit([encoder.finish()]);
  }
  const error = await device.finished().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DeviceError);
  expect(error).toMatchObject({ kind: "validation", message: expect.stringMatching(/and \d+ more device errors/) });
  await device.finished();
  device.check();
  device.pool.release(buffer);
});

test("the device works on after an allocation that the adapter refuses", async () => {
  const device = await getDevice();
  expect(() => device.pool.acquire(device.gpu.limits.maxBufferSize + 4)).toThrow(DeviceError);
  const buffer = device.pool.acquire(8);
  device.write(buffer, 0, new Uint32Array([7, 9]));
  expect([...new Uint32Array(await readBuffer(device, buffer, 8))]).toEqual([7, 9]);
  device.pool.release(buffer);
});
