import { BUFFER_USAGE, type Device, getDevice, readBuffer } from "../runtime/index.ts";
import type { Binding, Launch, Program } from "./kernel.ts";

// Tests of kernels run programs on a bare device, without tensors or plans.

/** Floats kept behind each output; a kernel that writes there fails the test. */
const GUARD = 64;
const GUARD_VALUE = -12345;

/** Runs a program once on the shared device and returns each output; throws when a kernel writes past an output. */
export async function runProgram(
  program: Program,
  inputs: readonly Float32Array[],
  outputSizes: readonly number[],
): Promise<Float32Array[]> {
  const device = await getDevice();
  const inputBuffers = inputs.map((values) => filledBuffer(device, values));
  const outputs = outputSizes.map((size) => filledBuffer(device, new Float32Array(size + GUARD).fill(GUARD_VALUE)));
  const scratch = program.scratch.map((bytes) =>
    filledBuffer(device, new Float32Array(Math.ceil(bytes / 4)).fill(NaN)),
  );
  const uniforms: GPUBuffer[] = [];
  const encoder = device.gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (const launch of program.launches) {
    const accesses = launch.bindings.map((binding) => binding.access);
    const { pipeline, layout } = await device.pipelines.getPipeline(
      launch.wgsl,
      accesses,
      launch.uniforms.length > 0,
      launch.label,
    );
    const entries = launch.bindings.map((binding, index) => ({ binding: index, resource: resourceOf(binding) }));
    if (launch.uniforms.length > 0) {
      const buffer = uniformBuffer(device, launch);
      uniforms.push(buffer);
      entries.push({ binding: entries.length, resource: { buffer, size: buffer.size } });
    }
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.gpu.createBindGroup({ layout, entries }));
    pass.dispatchWorkgroups(...launch.workgroups);
  }
  pass.end();
  device.submit([encoder.finish()]);
  const results: Float32Array[] = [];
  for (const [index, size] of outputSizes.entries()) {
    const buffer = bufferAt(outputs, index);
    const all = new Float32Array(await readBuffer(device, buffer, (size + GUARD) * 4));
    if (all.subarray(size).some((value) => value !== GUARD_VALUE))
      throw new Error(`output ${index}: written past its end`);
    results.push(all.slice(0, size));
  }
  device.check();
  for (const buffer of [...inputBuffers, ...outputs, ...scratch, ...uniforms]) buffer.destroy();
  return results;

  function resourceOf({ buffer }: Binding): { buffer: GPUBuffer; size: number } {
    if (buffer.kind === "input") {
      const size = Math.max(4, (inputs[buffer.index]?.length ?? 0) * 4);
      // A vec4 array needs a whole number of vectors; the pool's buffers round up in the same way.
      return { buffer: bufferAt(inputBuffers, buffer.index), size: Math.ceil(size / 16) * 16 };
    }
    const found = bufferAt(buffer.kind === "output" ? outputs : scratch, buffer.index);
    return { buffer: found, size: found.size };
  }
}

function bufferAt(buffers: readonly GPUBuffer[], index: number): GPUBuffer {
  const buffer = buffers[index];
  if (!buffer) throw new Error(`runProgram: no buffer ${index}`);
  return buffer;
}

function filledBuffer(device: Device, values: Float32Array): GPUBuffer {
  const usage = BUFFER_USAGE.STORAGE | BUFFER_USAGE.COPY_SRC | BUFFER_USAGE.COPY_DST;
  const buffer = device.gpu.createBuffer({ size: Math.max(16, Math.ceil(values.byteLength / 16) * 16), usage });
  if (values.length > 0) device.write(buffer, 0, values);
  return buffer;
}

function uniformBuffer(device: Device, launch: Launch): GPUBuffer {
  const buffer = device.gpu.createBuffer({
    size: Math.ceil(launch.uniforms.byteLength / 16) * 16,
    usage: BUFFER_USAGE.UNIFORM | BUFFER_USAGE.COPY_DST,
  });
  device.write(buffer, 0, launch.uniforms);
  return buffer;
}

/** Repeatable values in [-1, 1). */
export function noise(size: number, seed: number): Float32Array {
  let state = (Math.imul(seed, 7919) + 17) >>> 0;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** Largest |a - b| / (1 + |b|); NaN anywhere in `a` counts as infinite. */
export function worstError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const expected = b[i] ?? NaN;
    const error = Math.abs((a[i] ?? NaN) - expected) / (1 + Math.abs(expected));
    if (!(error <= worst)) worst = Number.isNaN(error) ? Infinity : error;
  }
  return worst;
}
