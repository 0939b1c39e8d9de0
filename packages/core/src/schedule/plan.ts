import { DeviceError, invariant } from "../base/errors.ts";
import { packed } from "../base/packed.ts";
import type { Node } from "../graph/node.ts";
import type { Storage } from "../graph/storage.ts";
import type { Device } from "../runtime/device.ts";
import { BUFFER_USAGE } from "../runtime/buffer-usage.ts";
import type { Profiler } from "../runtime/profiler.ts";
import type { Pipeline } from "../runtime/pipeline-cache.ts";
import type { CopyOut } from "../runtime/readback.ts";
import type { PlanSpec, Step, Value } from "./spec.ts";
import { Duration } from "./duration.ts";

const UNIFORM_SLICE = 256;
/** Bind groups that a dispatch keeps for the buffers it alternates between (ping-pong states, rotated inputs). */
const MAX_GROUPS = 8;
/** More than any kernel says in its text that a buffer holds. */
const DUMMY_BYTES = 1024;

const align = (bytes: number): number => Math.ceil(bytes / UNIFORM_SLICE) * UNIFORM_SLICE;

interface CachedGroup {
  readonly buffers: readonly GPUBuffer[];
  readonly group: GPUBindGroup;
}

interface Dispatch {
  readonly step: Step;
  readonly pipeline: Pipeline;
  readonly uniformOffset: number;
  /** Positions in `step.values` whose buffer may change from run to run. */
  readonly varying: readonly number[];
  readonly groups: CachedGroup[];
}

/** Slot buffers of one device, shared by all its plans: plans run one after another, and none leaves data in a slot. */
export class SlotPool {
  readonly #device: Device;
  readonly #slots: { readonly buffer: GPUBuffer; readonly bytes: number; users: number }[] = [];

  constructor(device: Device) {
    this.#device = device;
  }

  /** Different buffers for the sizes given. @throws DeviceError (out-of-memory), with none taken */
  take(sizes: readonly number[]): GPUBuffer[] {
    const result = new Array<GPUBuffer>(sizes.length);
    const used = new Set<GPUBuffer>();
    const order = sizes.map((bytes, index) => ({ bytes, index })).sort((a, b) => b.bytes - a.bytes);
    try {
      for (const { bytes, index } of order) {
        let best = this.#slots
          .filter((s) => !used.has(s.buffer) && s.bytes >= bytes && s.bytes <= 2 * bytes)
          .sort((a, b) => a.bytes - b.bytes)[0];
        if (!best) {
          best = { buffer: this.#device.pool.acquire(bytes), bytes, users: 0 };
          this.#slots.push(best);
        }
        best.users++;
        used.add(best.buffer);
        result[index] = best.buffer;
      }
    } catch (error) {
      this.giveBack([...used]);
      throw error;
    }
    return result;
  }
  giveBack(buffers: readonly GPUBuffer[]): void {
    for (const buffer of buffers) {
      const at = this.#slots.findIndex((s) => s.buffer === buffer);
      const slot = this.#slots[at];
      if (!slot || --slot.users > 0) continue;
      this.#slots.splice(at, 1);
      this.#device.pool.release(buffer);
    }
  }
}

/** A buffer for each host leaf. @throws DeviceError (out-of-memory), with none taken */
function inputBuffers({ pool }: Device, { leaves }: PlanSpec): (GPUBuffer | null)[] {
  const buffers: (GPUBuffer | null)[] = [];
  try {
    for (const { kind, bytes } of leaves)
      buffers.push(kind === "host" ? pool.acquire(Math.max(16, Math.ceil(bytes / 16) * 16)) : null);
  } catch (error) {
    for (const buffer of buffers) if (buffer) pool.release(buffer);
    throw error;
  }
  return buffers;
}

/** A plan on a device: pipelines, slots and bind groups, ready to be encoded again and again. */
export class Plan {
  /** From the second run on. */
  readonly duration = new Duration();
  runs = 0;
  readonly #device: Device;
  readonly #spec: PlanSpec;
  readonly #dispatches: Dispatch[] = [];
  readonly #slotPool: SlotPool;
  readonly #slots: GPUBuffer[];
  readonly #uniforms: GPUBuffer | null;
  /** Buffers for host leaves, and the node whose values each holds now. */
  readonly #inputs: ({ readonly buffer: GPUBuffer; holds: WeakRef<Node> | null } | null)[];

  private constructor(device: Device, spec: PlanSpec, pipelines: readonly Pipeline[], slotPool: SlotPool) {
    this.#device = device;
    this.#spec = spec;
    this.#slotPool = slotPool;
    const inputs = inputBuffers(device, spec);
    this.#inputs = inputs.map((buffer) => (buffer ? { buffer, holds: null } : null));
    try {
      this.#slots = slotPool.take(spec.slots);
    } catch (error) {
      for (const buffer of inputs) if (buffer) device.pool.release(buffer);
      throw error;
    }
    let uniformBytes = 0;
    spec.steps.forEach((step, i) => {
      const pipeline = pipelines[i];
      invariant(pipeline !== undefined, "plan: a step has no pipeline");
      const varying = step.values.flatMap((value, k) => (this.#isVarying(value) ? [k] : []));
      this.#dispatches.push({ step, pipeline, uniformOffset: uniformBytes, varying, groups: [] });
      uniformBytes += align(step.uniforms.byteLength);
    });
    this.#uniforms = uniformBytes > 0 ? this.#packUniforms(uniformBytes) : null;
  }

  static async prepare(device: Device, spec: PlanSpec, slotPool: SlotPool): Promise<Plan> {
    const limit = device.traits.maxStorageBinding;
    for (const step of spec.steps)
      for (const [k, value] of step.values.entries())
        if ((step.windows[k]?.bytes ?? value.bytes) > limit)
          throw new DeviceError(
            "out-of-memory",
            `${step.label}: what one kernel reads or writes must fit a storage binding of ${limit} bytes on this adapter, got ${value.bytes}; split it`,
          );
    const pipelines = await Promise.all(
      spec.steps.map((step) =>
        device.pipelines.getPipeline(step.wgsl, step.accesses, step.uniforms.length > 0, step.label),
      ),
    );
    return new Plan(device, spec, pipelines, slotPool);
  }

  get dispatches(): number {
    return this.#dispatches.length;
  }
  get slotBytes(): number {
    return this.#spec.slots.reduce((sum, n) => sum + n, 0);
  }
  get spec(): PlanSpec {
    return this.#spec;
  }
  get labels(): readonly string[] {
    return this.#spec.steps.map((s) => s.label);
  }

  #isVarying(value: Value): boolean {
    const { place } = value;
    return place.kind === "root" || (place.kind === "leaf" && this.#spec.leaves[place.index]?.kind === "device");
  }

  #packUniforms(bytes: number): GPUBuffer {
    const buffer = this.#device.gpu.createBuffer({
      size: bytes,
      usage: BUFFER_USAGE.UNIFORM | BUFFER_USAGE.COPY_DST,
      label: "plan uniforms",
    });
    const words = new Uint32Array(bytes / 4);
    for (const { step, uniformOffset } of this.#dispatches) words.set(step.uniforms, uniformOffset / 4);
    this.#device.write(buffer, 0, words);
    return buffer;
  }

  /**
   * Encodes and submits the plan.
   *
   * @param leaves the graph's leaves in the plan's order
   * @param roots storage of each root, null for update tokens
   * @param profiler times each dispatch
   * @param copy of what the plan makes, in the same submit
   */
  run(
    leaves: readonly Node[],
    roots: readonly (Storage | null)[],
    profiler: Profiler | null = null,
    copy: CopyOut | null = null,
  ): void {
    this.runs++;
    const leafBuffers = leaves.map((leaf, i) => this.#leafBuffer(leaf, i));
    const bufferOf = ({ place }: Value): GPUBuffer => {
      const buffer =
        place.kind === "slot"
          ? this.#slots[place.index]
          : place.kind === "leaf"
            ? leafBuffers[place.index]
            : roots[place.index]?.buffer;
      invariant(buffer !== undefined, "plan: a value has no buffer");
      return buffer;
    };
    const encoder = this.#device.gpu.createCommandEncoder();
    if (this.#dispatches.length > 0) {
      let pass = encoder.beginComputePass();
      let current: GPUComputePipeline | null = null;
      for (const dispatch of this.#dispatches) {
        const { pipeline } = dispatch.pipeline;
        const timestampWrites = profiler?.next(dispatch.step.label, dispatch.step.scope);
        if (timestampWrites) {
          pass.end();
          pass = encoder.beginComputePass({ timestampWrites });
          current = null;
        }
        if (pipeline !== current) pass.setPipeline(pipeline);
        current = pipeline;
        pass.setBindGroup(0, this.#group(dispatch, bufferOf));
        const [x, y, z] = dispatch.step.workgroups;
        pass.dispatchWorkgroups(x, y, z);
      }
      pass.end();
    }
    this.#spec.roots.forEach(({ bytes, copyFrom }, i) => {
      const storage = roots[i];
      if (copyFrom && storage && bytes > 0) encoder.copyBufferToBuffer(bufferOf(copyFrom), 0, storage.buffer, 0, bytes);
    });
    copy?.encode(encoder);
    this.#device.submit([encoder.finish()]);
  }

  /** Dispatches every kernel over nothing: some adapters compile one when it is dispatched first, not when its pipeline is made. */
  async warm(): Promise<void> {
    const { gpu } = this.#device;
    const kernels = [...new Map(this.#dispatches.map((dispatch) => [dispatch.pipeline, dispatch])).values()];
    const made: GPUBuffer[] = [];
    const buffer = (size: number, usage: number): GPUBuffer => {
      const one = gpu.createBuffer({ size, usage, label: "warm-up" });
      made.push(one);
      return one;
    };
    const storage: GPUBuffer[] = [];
    // the size of nothing
    const nothing = buffer(16, BUFFER_USAGE.INDIRECT);
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const { step, pipeline } of kernels) {
      const entries = step.values.map((_, binding) => ({
        binding,
        resource: { buffer: (storage[binding] ??= buffer(DUMMY_BYTES, BUFFER_USAGE.STORAGE)) },
      }));
      if (step.uniforms.length > 0) {
        const uniforms = buffer(align(step.uniforms.byteLength), BUFFER_USAGE.UNIFORM);
        entries.push({ binding: entries.length, resource: { buffer: uniforms } });
      }
      pass.setPipeline(pipeline.pipeline);
      pass.setBindGroup(0, gpu.createBindGroup({ layout: pipeline.layout, entries }));
      pass.dispatchWorkgroupsIndirect(nothing, 0);
    }
    pass.end();
    this.#device.submit([encoder.finish()]);
    await this.#device.finished();
    for (const one of made) one.destroy();
  }

  #leafBuffer(leaf: Node, index: number): GPUBuffer {
    const { source } = leaf;
    invariant(source !== null, "plan: a leaf has no values");
    if (source.kind === "device") return source.storage.buffer;
    const input = this.#inputs[index];
    invariant(input !== null && input !== undefined, "plan: a host leaf has no buffer");
    if (input.holds?.deref() !== leaf) {
      if (source.array.byteLength > 0) this.#device.write(input.buffer, 0, packed(source.array, leaf.dtype));
      input.holds = new WeakRef(leaf);
    }
    return input.buffer;
  }

  #group(dispatch: Dispatch, bufferOf: (value: Value) => GPUBuffer): GPUBindGroup {
    const { step, varying, groups } = dispatch;
    const buffers = varying.map((k) => bufferOf(step.values[k] as Value)); // varying holds valid positions
    const known = groups.findIndex((g) => g.buffers.every((b, i) => b === buffers[i]));
    const hit = groups[known];
    if (hit) return hit.group;
    const entries: GPUBindGroupEntry[] = step.values.map((value, binding) => ({
      binding,
      resource: {
        buffer: bufferOf(value),
        offset: step.windows[binding]?.offset ?? 0,
        size: step.windows[binding]?.bytes ?? Math.max(16, Math.ceil(value.bytes / 16) * 16),
      },
    }));
    if (step.uniforms.length > 0 && this.#uniforms)
      entries.push({
        binding: entries.length,
        resource: { buffer: this.#uniforms, offset: dispatch.uniformOffset, size: align(step.uniforms.byteLength) },
      });
    const group = this.#device.gpu.createBindGroup({ layout: dispatch.pipeline.layout, entries, label: step.label });
    if (groups.length >= MAX_GROUPS) groups.shift();
    groups.push({ buffers, group });
    return group;
  }

  destroy(): void {
    this.#slotPool.giveBack(this.#slots);
    for (const input of this.#inputs) if (input) this.#device.pool.release(input.buffer);
    this.#uniforms?.destroy();
  }
}
