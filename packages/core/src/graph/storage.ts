import { DeviceError } from "../base/errors.ts";

/** Where buffers come from and go back to: one a device. */
export interface BufferSource {
  acquire(bytes: number): GPUBuffer;
  release(buffer: GPUBuffer): void;
}

interface Held {
  buffer: GPUBuffer | null;
  readonly bytes: number;
  readonly pool: BufferSource;
}

let collectedBytes = 0;

/** Bytes that the garbage collector, not `dispose()`, gave back: a growing figure means big tensors are dropped undisposed. */
export const bytesFreedByCollector = (): number => collectedBytes;

const registry = new FinalizationRegistry<Held>((held) => {
  if (!held.buffer) return;
  collectedBytes += held.bytes;
  held.pool.release(held.buffer);
  held.buffer = null;
});

/** The GPU buffer of a realised tensor. `version` counts in-place updates. */
export class Storage {
  readonly bytes: number;
  version = 0;
  #held: Held;

  /** @throws DeviceError (out-of-memory) */
  constructor(pool: BufferSource, bytes: number) {
    this.bytes = bytes;
    this.#held = { buffer: pool.acquire(Math.max(16, Math.ceil(bytes / 16) * 16)), bytes, pool };
    registry.register(this, this.#held, this);
  }

  /** Whether the buffer belongs to the device that `pool` is of. */
  isOf(pool: BufferSource): boolean {
    return this.#held.pool === pool;
  }

  get buffer(): GPUBuffer {
    if (!this.#held.buffer) throw new DeviceError("validation", "tensor: must not be used after dispose()");
    return this.#held.buffer;
  }

  get disposed(): boolean {
    return this.#held.buffer === null;
  }

  dispose(): void {
    if (!this.#held.buffer) return;
    registry.unregister(this);
    this.#held.pool.release(this.#held.buffer);
    this.#held.buffer = null;
  }
}
