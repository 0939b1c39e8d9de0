/**
 * Opens the device of this machine, runs one kernel and reads it back: `npx tsx --conditions=@omni/source scripts/check-device.ts`.
 */
import { getDevice, readBuffer, BUFFER_USAGE } from "../packages/core/src/runtime/index.ts";

const WGSL = `
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < arrayLength(&y)) { y[id.x] = f32(id.x) * 2.0; }
}`;

const start = performance.now();
const device = await getDevice();
console.log(`${device.description} (${Math.round(performance.now() - start)} ms)`);
console.log(device.traits);
const buffer = device.pool.acquire(1024);
const { pipeline, layout } = await device.pipelines.getPipeline(WGSL, ["read_write"], false, "double");
const encoder = device.gpu.createCommandEncoder();
const pass = encoder.beginComputePass();
pass.setPipeline(pipeline);
pass.setBindGroup(0, device.gpu.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] }));
pass.dispatchWorkgroups(4);
pass.end();
device.submit([encoder.finish()]);
const result = new Float32Array(await readBuffer(device, buffer, 1024));
console.log(BUFFER_USAGE.STORAGE, result[255] === 510 ? "kernel right" : `kernel wrong: ${result[255]}`);
