import { hostMemory, openAdapter } from "#gpu";
import { DeviceError } from "../base/errors.ts";
import type { DeviceTraits } from "../kernels/kernel.ts";
import { type AdapterChoice, isSoftware } from "./adapter.ts";
import { BufferPool } from "./buffer-pool.ts";
import { DeviceFailure } from "./device-failure.ts";
import { adapterIdentity, KernelChoices, modeFromEnvironment, type TuneMode } from "./kernel-choices.ts";
import { PipelineCache } from "./pipeline-cache.ts";
import { StagingPool } from "./staging-pool.ts";

const MIB = 2 ** 20;
// Dawn frees the staging memory of writeBuffer at submits only.
const FLUSH_AFTER = 64 * MIB;
// SwiftShader advertises 1 GiB and cannot allocate it.
const SWIFTSHADER_LARGEST = 1023 * MIB;
// Adapters grant 8 to 16. Only kernels that ask `traits.maxStorageBuffers` may bind more than eight: others would run on some adapters alone.
const STORAGE_BUFFERS = 16;

/** What to open. */
export interface DeviceOptions {
  /** Default "auto"; in Node the environment variable OMNI_ADAPTER stands in for it. */
  readonly adapter?: AdapterChoice;
  /** Bytes that buffers may take. Default: half the host's memory on a software adapter, unbounded on a GPU. */
  readonly memoryBudget?: number;
  /**
   * Kernels that `autotune` found faster on this adapter. "off": never; "ask": where `autotune` is called in this process; "use": also what
   * earlier ones kept; "tune": each plan's kernels are timed before it runs first, seconds for each on a software adapter. They may differ in their last bits
   * from those chosen otherwise. Default "ask"; in Node the environment variable OMNI_AUTOTUNE (0, 1 or tune) stands in for it.
   */
  readonly autotune?: TuneMode;
}

/** The one GPU device of this process or page with what the engine needs around it. */
export interface Device {
  /** The WebGPU device, for buffers and pipelines of one's own. */
  readonly gpu: GPUDevice;
  /** Its queue. */
  readonly queue: GPUQueue;
  /** What kernels may assume of it. */
  readonly traits: DeviceTraits;
  /** For instance "SwiftShader driver 5.0.0 (bundled)". */
  readonly adapterName: string;
  /** One line for the user: which adapter runs, and what a GPU would change. */
  readonly description: string;
  /** @internal Buffers to be used again. */
  readonly pool: BufferPool;
  /** @internal Buffers that values are read back through. */
  readonly staging: StagingPool;
  /** @internal Compiled kernels. */
  readonly pipelines: PipelineCache;
  /** @internal Timed choices of kernels. */
  readonly tuning: KernelChoices;
  /** Resolves (never rejects) when the device is gone. */
  readonly lost: Promise<DeviceError>;
  /** Whether the device is gone. */
  readonly isLost: boolean;
  /** Throws the first error since the last check, or the loss. Cheap. */
  check(): void;
  /** Awaits `work`; throws DeviceError where the device complained or was lost meanwhile. */
  guard<T>(work: Promise<T>): Promise<T>;
  /** `queue.submit`. */
  submit(commands: readonly GPUCommandBuffer[]): void;
  /** `queue.writeBuffer` that never lets staging memory pile up; offset and byte length are multiples of 4. */
  write(buffer: GPUBuffer, offset: number, data: ArrayBufferView | ArrayBuffer): void;
  /** Resolves when all work submitted so far is done. */
  finished(): Promise<void>;
}

interface Slot {
  readonly choice: AdapterChoice;
  readonly device: Promise<Device>;
}

let current: Slot | null = null;

/**
 * The device of this process or page: opened at the first call, shared by all later ones, opened anew after a loss.
 *
 * @throws DeviceError (unavailable) when there is no adapter or another kind of adapter is open already
 */
export function getDevice(options: DeviceOptions = {}): Promise<Device> {
  const choice = options.adapter ?? "auto";
  if (current) {
    if (options.adapter === undefined || current.choice === choice) return current.device;
    const message = `getDevice: an adapter chosen by "${current.choice}" is open; await closeDevice() before asking for "${choice}"`;
    return Promise.reject(new DeviceError("unavailable", message));
  }
  const slot: Slot = { choice, device: openDevice(choice, options) };
  current = slot;
  const forget = () => {
    if (current === slot) current = null;
  };
  slot.device.then((device) => device.lost.then(forget), forget);
  return slot.device;
}

/** Destroys the open device with all its buffers; pending work ends in a DeviceError (lost). Nothing happens if none is open. */
export async function closeDevice(): Promise<void> {
  const slot = current;
  if (!slot) return;
  const device = await slot.device.catch(() => null);
  if (current === slot) current = null;
  if (!device) return;
  device.gpu.destroy();
  await device.lost;
}

async function openDevice(choice: AdapterChoice, { memoryBudget, autotune }: DeviceOptions): Promise<Device> {
  const mode = autotune ?? modeFromEnvironment();
  const { adapter, description } = await openAdapter(choice);
  const gpu = await requestDevice(adapter);
  const failure = new DeviceFailure(gpu);
  const tuning = new KernelChoices(adapterIdentity(adapter.info, description), mode);
  if (mode === "use" || mode === "tune") await tuning.load();
  const traits = { ...traitsOf(gpu, adapter.info), choices: tuning.choices };
  const budget = memoryBudget ?? (traits.software ? hostMemory() / 2 : Infinity);
  const pool = new BufferPool(gpu, { budget, onError: (error) => failure.report(error) });
  let unflushed = 0;
  return {
    gpu,
    queue: gpu.queue,
    traits,
    adapterName: description,
    description: traits.software
      ? `Running on ${description}, a software adapter: a GPU would be hundreds of times faster.`
      : `Running on ${description}.`,
    pool,
    staging: new StagingPool(gpu),
    pipelines: new PipelineCache(gpu),
    tuning,
    lost: failure.lost,
    get isLost() {
      return failure.isLost;
    },
    check: () => failure.check(),
    guard: (work) => failure.guard(work),
    submit(commands) {
      unflushed = 0;
      gpu.queue.submit(commands);
    },
    write(buffer, offset, data) {
      gpu.queue.writeBuffer(buffer, offset, data as GPUAllowSharedBufferSource);
      unflushed += data.byteLength;
      if (unflushed < FLUSH_AFTER) return;
      unflushed = 0;
      gpu.queue.submit([]);
    },
    finished: () => failure.guard(gpu.queue.onSubmittedWorkDone()).then(() => undefined),
  };
}

async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const { info, limits } = adapter;
  const largest = /swiftshader/i.test(`${info.architecture} ${info.description}`) ? SWIFTSHADER_LARGEST : Infinity;
  const wanted = ["subgroups", "shader-f16", "timestamp-query"] as const;
  return adapter.requestDevice({
    requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)),
    requiredLimits: {
      maxBufferSize: Math.min(limits.maxBufferSize, largest),
      maxStorageBufferBindingSize: Math.min(limits.maxStorageBufferBindingSize, largest),
      maxStorageBuffersPerShaderStage: Math.min(limits.maxStorageBuffersPerShaderStage, STORAGE_BUFFERS),
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
      maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
      maxComputeWorkgroupSizeY: limits.maxComputeWorkgroupSizeY,
    },
  });
}

function traitsOf(gpu: GPUDevice, info: GPUAdapterInfo): DeviceTraits {
  const { features, limits } = gpu;
  const subgroups = features.has("subgroups");
  return {
    software: isSoftware(info),
    subgroups,
    // The widest range WebGPU allows where the adapter does not say.
    subgroupMinSize: subgroups ? info.subgroupMinSize || 4 : 1,
    subgroupMaxSize: subgroups ? info.subgroupMaxSize || 128 : 1,
    f16: features.has("shader-f16"),
    maxWorkgroupSize: Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX),
    maxWorkgroupStorage: limits.maxComputeWorkgroupStorageSize,
    maxStorageBinding: limits.maxStorageBufferBindingSize,
    maxStorageBuffers: limits.maxStorageBuffersPerShaderStage,
  };
}
