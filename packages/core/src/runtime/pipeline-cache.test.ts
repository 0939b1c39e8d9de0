import { expect, test } from "vitest";
import { DeviceError } from "../base/errors.ts";
import { getDevice } from "./device.ts";
import { PipelineCache, shaderMessages } from "./pipeline-cache.ts";

const scaled = (factor: string) => `
struct Sizes { count: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> sizes: Sizes;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < sizes.count) { y[id.x] = x[id.x] * ${factor}; }
}`;
const ACCESSES = ["read", "read_write"] as const;

test("one text compiles once, however many ask at once", async () => {
  const { gpu } = await getDevice();
  const cache = new PipelineCache(gpu);
  const asked = Array.from({ length: 5 }, () => cache.getPipeline(scaled("2.0"), ACCESSES, true, "scale"));
  expect(cache.peekPipeline(scaled("2.0"), ACCESSES, true)).toBeUndefined();
  const got = await Promise.all(asked);
  expect(new Set(got).size).toBe(1);
  expect(cache.size).toBe(1);
  expect(cache.peekPipeline(scaled("2.0"), ACCESSES, true)).toBe(got[0]);
});

test("kernels with the same accesses share their layout", async () => {
  const { gpu } = await getDevice();
  const cache = new PipelineCache(gpu);
  const a = await cache.getPipeline(scaled("3.0"), ACCESSES, true, "scale3");
  const b = await cache.getPipeline(scaled("4.0"), ACCESSES, true, "scale4");
  expect(a.pipeline).not.toBe(b.pipeline);
  expect(a.layout).toBe(b.layout);
  expect(cache.getLayout(ACCESSES, true)).toBe(a.layout);
  expect(cache.getLayout(ACCESSES, false)).not.toBe(a.layout);
});

test("a kernel that does not compile says where, and nothing else breaks", async () => {
  const device = await getDevice();
  const cache = new PipelineCache(device.gpu);
  const error = await cache.getPipeline(scaled("no_such"), ACCESSES, true, "broken").catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DeviceError);
  expect(error).toMatchObject({ kind: "compile" });
  const { message } = error as DeviceError;
  expect(message).toContain("broken: kernel does not compile");
  expect(message).toContain("7 |   if (id.x < sizes.count) { y[id.x] = x[id.x] * no_such; }");
  expect(message.split("\n").at(-1)).toMatch(/^ +\^$/);
  await device.finished();
  device.check();
});

test("a layout that does not fit the kernel is reported with the kernel's name", async () => {
  const device = await getDevice();
  const asked = new PipelineCache(device.gpu).getPipeline(scaled("5.0"), ["read", "read"], true, "misdeclared");
  await expect(asked).rejects.toThrow(/^misdeclared: /);
  await device.finished();
});

test("more storage bindings than the adapter takes are refused before they reach it", async () => {
  const { gpu } = await getDevice();
  const many = Array.from({ length: gpu.limits.maxStorageBuffersPerShaderStage + 1 }, () => "read" as const);
  await expect(new PipelineCache(gpu).getPipeline(scaled("6.0"), many, false, "wide")).rejects.toThrow(
    /wide: \d+ storage bindings/,
  );
});

test("warnings of the compiler can be asked for", async () => {
  const { gpu } = await getDevice();
  const clean = scaled("7.0");
  expect(await shaderMessages(gpu.createShaderModule({ code: clean }), clean)).toEqual([]);
});
