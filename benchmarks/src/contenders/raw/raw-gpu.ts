import type { DeviceTraits } from "@omni/core";
import type { Work } from "../contender.ts";

// WebGPU's flags by name: the global constants are missing in Node.
const STORAGE = 0x80;
const COPY_SRC = 0x4;
const COPY_DST = 0x8;
const MAP_READ = 0x1;

/** One kernel over some buffers. */
export interface Dispatch {
  readonly wgsl: string;
  readonly buffers: readonly GPUBuffer[];
  readonly workgroups: readonly [number, number?, number?];
}

interface Ready {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly workgroups: Dispatch["workgroups"];
}

/** Kernels with nothing around them: buffers and bind groups are made once, a run only encodes and submits. */
export class RawGpu {
  readonly gpu: GPUDevice;
  readonly #traits: DeviceTraits;

  private constructor(gpu: GPUDevice, traits: DeviceTraits) {
    this.gpu = gpu;
    this.#traits = traits;
  }

  /**
   * A device of its own, with what ours has asked for.
   *
   * @throws Error when there is no adapter
   */
  static async open(traits: DeviceTraits): Promise<RawGpu> {
    const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
    if (!adapter) throw new Error("raw: navigator.gpu must give an adapter");
    const { maxStorageBufferBindingSize } = adapter.limits;
    const gpu = await adapter.requestDevice({
      requiredFeatures: traits.subgroups ? ["subgroups"] : [],
      requiredLimits: { maxStorageBufferBindingSize, maxBufferSize: maxStorageBufferBindingSize },
    });
    return new RawGpu(gpu, traits);
  }

  /** Lanes of a subgroup where the adapter has one size alone; 1 where kernels must do without subgroups. */
  get lanes(): number {
    const { subgroups, subgroupMinSize, subgroupMaxSize } = this.#traits;
    return subgroups && subgroupMinSize === subgroupMaxSize ? subgroupMinSize : 1;
  }

  get software(): boolean {
    return this.#traits.software;
  }

  buffer(bytes: number): GPUBuffer {
    return this.gpu.createBuffer({ size: Math.ceil(bytes / 16) * 16, usage: STORAGE | COPY_SRC | COPY_DST });
  }

  upload(values: Float32Array<ArrayBuffer>): GPUBuffer {
    const buffer = this.buffer(values.byteLength);
    this.gpu.queue.writeBuffer(buffer, 0, values);
    return buffer;
  }

  async read(buffer: GPUBuffer, floats: number): Promise<Float32Array> {
    const size = Math.ceil(floats / 4) * 16;
    const { gpu } = this;
    const staging = gpu.createBuffer({ size, usage: COPY_DST | MAP_READ });
    const encoder = gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, size);
    gpu.queue.submit([encoder.finish()]);
    await staging.mapAsync(1);
    const values = new Float32Array(staging.getMappedRange().slice(0)).subarray(0, floats);
    staging.destroy();
    return values;
  }

  /** Work of some kernels one after another; the first run compiles them. */
  work(dispatches: readonly Dispatch[], answer: () => Promise<ArrayLike<number>>): Work {
    const { gpu } = this;
    let ready: readonly Ready[] | null = null;
    return {
      start: async () => {
        ready ??= await Promise.all(dispatches.map((dispatch) => this.#compile(dispatch)));
        const encoder = gpu.createCommandEncoder();
        const pass = encoder.beginComputePass();
        for (const { pipeline, group, workgroups } of ready) {
          pass.setPipeline(pipeline);
          pass.setBindGroup(0, group);
          pass.dispatchWorkgroups(...workgroups);
        }
        pass.end();
        gpu.queue.submit([encoder.finish()]);
      },
      finish: () => gpu.queue.onSubmittedWorkDone().then(() => undefined),
      answer,
    };
  }

  async #compile({ wgsl, buffers, workgroups }: Dispatch): Promise<Ready> {
    const module = this.gpu.createShaderModule({ code: wgsl });
    const pipeline = await this.gpu.createComputePipelineAsync({ layout: "auto", compute: { module } });
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    const group = this.gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    return { pipeline, group, workgroups };
  }
}

/** WGSL declarations of storage buffers, the last one writable. */
export const storage = (...bindings: readonly (readonly [name: string, element: string])[]): string =>
  bindings
    .map(
      ([name, element], i) =>
        `@group(0) @binding(${i}) var<storage, ${i === bindings.length - 1 ? "read_write" : "read"}> ${name}: array<${element}>;`,
    )
    .join("\n");

/** A flat index over a two-dimensional grid of workgroups of `lanes`. */
export const flatIndex = (lanes: number): string =>
  `@compute @workgroup_size(${lanes}) fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) grid: vec3u) {
  let group = wid.y * grid.x + wid.x;`;

const MAX_WORKGROUPS = 65_535;

/** A grid for so many workgroups. */
export function grid(count: number): [number, number] {
  const y = Math.ceil(count / MAX_WORKGROUPS);
  return [Math.ceil(count / y), y];
}
