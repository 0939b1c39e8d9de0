import { DeviceError } from "../base/errors.ts";

interface Held {
  buffer: GPUBuffer | null;
  readonly bytes: number;
  readonly release: (buffer: GPUBuffer) => void;
}

let collectedBytes = 0;

/** Bytes that the garbage collector, not `dispose()`, gave back: a growing figure means big tensors are dropped undisposed. */
export const bytesFreedByCollector = (): number => collectedBytes;

const registry = new FinalizationRegistry<Held>((held) => {
  if (!held.buffer) return;
  collectedBytes += held.bytes;
  held.release(held.buffer);
  held.buffer = null;
});

/** The GPU buffer of a realised tensor. `version` counts in-place updates. */
export class Storage {
  readonly bytes: number;
  version = 0;
  #held: Held;

  constructor(buffer: GPUBuffer, bytes: number, release: (buffer: GPUBuffer) => void) {
    this.bytes = bytes;
    this.#held = { buffer, bytes, release };
    registry.register(this, this.#held, this);
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
    this.#held.release(this.#held.buffer);
    this.#held.buffer = null;
  }
}
