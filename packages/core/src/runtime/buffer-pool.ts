import { DeviceError, invariant } from "../base/errors.ts";
import { BUFFER_USAGE } from "./buffer-usage.ts";
import { sizeClass } from "./size-class.ts";

const STORAGE_USAGE = BUFFER_USAGE.STORAGE | BUFFER_USAGE.COPY_SRC | BUFFER_USAGE.COPY_DST;
const MIB = 2 ** 20;
// Below this an allocation that fails is rarer than the cost of a scope is worth.
const SCOPED_FROM = 16 * MIB;

export interface BufferPoolOptions {
  /** Bytes that live and pooled buffers may take together. Default: no bound. */
  readonly budget?: number;
  /** Told of allocations that the adapter refused after the fact. */
  readonly onError?: (error: DeviceError) => void;
}

/**
 * Reuse of storage buffers by size class, with every byte accounted for: the collector does not see device memory, and a
 * software adapter that takes more than the host has ends the process without a word.
 */
export class BufferPool {
  readonly budget: number;
  readonly #gpu: GPUDevice;
  readonly #onError: (error: DeviceError) => void;
  readonly #maxBuffer: number;
  readonly #maxPooled: number;
  readonly #live = new Map<GPUBuffer, number>();
  /** Oldest release first. */
  readonly #idle = new Map<GPUBuffer, number>();
  /** Of each class, oldest release first. */
  readonly #byClass = new Map<number, GPUBuffer[]>();
  #liveBytes = 0;
  #pooledBytes = 0;
  #peakBytes = 0;
  #created = 0;

  constructor(gpu: GPUDevice, { budget = Infinity, onError = () => {} }: BufferPoolOptions = {}) {
    this.#gpu = gpu;
    this.#onError = onError;
    this.budget = budget;
    this.#maxBuffer = gpu.limits.maxBufferSize;
    this.#maxPooled = Math.max(64 * MIB, Math.min(budget / 4, 1024 * MIB));
  }

  /** Bytes of the buffers that are handed out. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  /** Bytes of the buffers that wait for reuse. */
  get pooledBytes(): number {
    return this.#pooledBytes;
  }

  /** The most that live and pooled buffers ever took together. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** Buffers made so far: flat in a steady loop. */
  get created(): number {
    return this.#created;
  }

  /**
   * A storage buffer of at least `bytes`, usable as copy source and destination. Its content is whatever its last user left.
   *
   * @throws DeviceError (out-of-memory) past the budget or the adapter's largest buffer
   */
  acquire(bytes: number): GPUBuffer {
    if (bytes > this.#maxBuffer) {
      throw new DeviceError(
        "out-of-memory",
        `buffer of ${formatBytes(bytes)} is larger than this adapter's largest, ${formatBytes(this.#maxBuffer)}`,
      );
    }
    const size = Math.min(sizeClass(bytes), this.#maxBuffer);
    const reused = this.#byClass.get(size)?.pop();
    if (reused) {
      this.#idle.delete(reused);
      this.#pooledBytes -= size;
      this.#enliven(reused, size);
      return reused;
    }
    this.#makeRoom(size);
    const buffer = this.#create(size);
    this.#enliven(buffer, size);
    return buffer;
  }

  /** Gives a buffer back. Work already submitted on it still runs first: the queue keeps its order. */
  release(buffer: GPUBuffer): void {
    const size = this.#live.get(buffer);
    invariant(size !== undefined, "buffer released that is not live in this pool (twice?)");
    this.#live.delete(buffer);
    this.#liveBytes -= size;
    this.#idle.set(buffer, size);
    this.#pooledBytes += size;
    const shelf = this.#byClass.get(size);
    if (shelf) shelf.push(buffer);
    else this.#byClass.set(size, [buffer]);
    if (this.#pooledBytes > this.#maxPooled) this.trim(this.#maxPooled / 2);
  }

  /** Destroys waiting buffers, the longest unused first, until at most `keepBytes` of them are left. */
  trim(keepBytes = 0): void {
    for (const [buffer, size] of this.#idle) {
      if (this.#pooledBytes <= keepBytes) return;
      this.#idle.delete(buffer);
      const first = this.#byClass.get(size)?.shift();
      invariant(first === buffer, "pool: shelf and age order disagree");
      this.#pooledBytes -= size;
      buffer.destroy();
    }
  }

  /** Destroys every buffer, live ones too: the device is going away. */
  destroy(): void {
    this.trim(0);
    for (const buffer of this.#live.keys()) buffer.destroy();
    this.#live.clear();
    this.#liveBytes = 0;
  }

  #enliven(buffer: GPUBuffer, size: number): void {
    this.#live.set(buffer, size);
    this.#liveBytes += size;
    this.#peakBytes = Math.max(this.#peakBytes, this.#liveBytes + this.#pooledBytes);
  }

  #makeRoom(size: number): void {
    if (this.#liveBytes + this.#pooledBytes + size <= this.budget) return;
    this.trim(Math.max(0, this.budget - this.#liveBytes - size));
    if (this.#liveBytes + size <= this.budget) return;
    throw new DeviceError(
      "out-of-memory",
      `buffer of ${formatBytes(size)} passes the memory budget: ${formatBytes(this.#liveBytes)} live of ${formatBytes(this.budget)}; ` +
        "use smaller batches or sizes, dispose of tensors you keep, or raise getDevice({ memoryBudget })",
    );
  }

  #create(size: number): GPUBuffer {
    this.#created++;
    const scoped = size >= SCOPED_FROM;
    // Advertised is not allocatable. The answer comes later; waiting for it here would stall every step.
    if (scoped) this.#gpu.pushErrorScope("out-of-memory");
    const buffer = this.#gpu.createBuffer({ size, usage: STORAGE_USAGE });
    if (scoped) {
      this.#gpu.popErrorScope().then(
        (error) => {
          if (error)
            this.#onError(
              new DeviceError("out-of-memory", `the adapter has no ${formatBytes(size)} left: ${error.message}`),
            );
        },
        () => {}, // the device is lost, which it reports by itself
      );
    }
    return buffer;
  }
}

/** A count of bytes for people. */
export function formatBytes(bytes: number): string {
  if (bytes === Infinity) return "unlimited";
  return bytes < MIB ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / MIB).toFixed(bytes < 100 * MIB ? 1 : 0)} MiB`;
}
