import { BUFFER_USAGE } from "./buffer-usage.ts";

const MOST_IDLE = 8;

/** Buffers that can be mapped for reading, kept for reuse: mapping is the one thing the queue does not order. */
export class StagingPool {
  readonly #gpu: GPUDevice;
  /** Oldest release first. */
  readonly #idle: GPUBuffer[] = [];

  constructor(gpu: GPUDevice) {
    this.#gpu = gpu;
  }

  /** An unmapped MAP_READ | COPY_DST buffer of at least `bytes`; the smallest waiting one that fits. */
  acquire(bytes: number): GPUBuffer {
    let best = -1;
    let bestSize = Infinity;
    for (const [index, { size }] of this.#idle.entries()) {
      if (size >= bytes && size < bestSize) [best, bestSize] = [index, size];
    }
    const found = best < 0 ? undefined : this.#idle.splice(best, 1)[0];
    if (found) return found;
    const size = 2 ** Math.ceil(Math.log2(Math.max(bytes, 4096)));
    return this.#gpu.createBuffer({ size, usage: BUFFER_USAGE.MAP_READ | BUFFER_USAGE.COPY_DST, label: "readback" });
  }

  /** Takes an unmapped buffer back. */
  release(buffer: GPUBuffer): void {
    this.#idle.push(buffer);
    if (this.#idle.length > MOST_IDLE) this.#idle.shift()?.destroy();
  }
}
