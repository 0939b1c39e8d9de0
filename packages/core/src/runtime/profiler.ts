import { DeviceError } from "../base/errors.ts";
import { BUFFER_USAGE } from "./buffer-usage.ts";
import type { Device } from "./device.ts";
import { readBuffer } from "./readback.ts";

/** Most queries that one set may hold. */
const MAX_SPANS = 2048;

/** One dispatch: its kernel, and when it ran on the device, ms since the first. */
export interface Timing {
  /** Name of the kernel. */
  readonly label: string;
  /** Path of the module that it worked for, see `labelModules`; "" for none. */
  readonly scope: string;
  /** When it began, ms since the first dispatch of the profile began. */
  readonly start: number;
  /** How long it ran. */
  readonly milliseconds: number;
}

/** Timestamps around single dispatches. Each dispatch gets a pass of its own, which costs a few microseconds itself. */
export class Profiler {
  readonly #device: Device;
  readonly #queries: GPUQuerySet;
  readonly #dispatches: { readonly label: string; readonly scope: string }[] = [];

  /** @throws DeviceError where the adapter has no timestamp queries */
  constructor(device: Device) {
    if (!device.gpu.features.has("timestamp-query"))
      throw new DeviceError("unavailable", "profiler: the adapter must have timestamp queries; this one has none");
    this.#device = device;
    this.#queries = device.gpu.createQuerySet({ type: "timestamp", count: 2 * MAX_SPANS });
  }

  /** Where the next dispatch's times go; null when the set is full. */
  next(label: string, scope = ""): GPUComputePassTimestampWrites | null {
    const index = this.#dispatches.length;
    if (index >= MAX_SPANS) return null;
    this.#dispatches.push({ label, scope });
    return { querySet: this.#queries, beginningOfPassWriteIndex: 2 * index, endOfPassWriteIndex: 2 * index + 1 };
  }

  /** What has been timed, in order. Starts over. */
  async read(): Promise<Timing[]> {
    const count = 2 * this.#dispatches.length;
    if (count === 0) return [];
    const bytes = count * 8;
    const resolved = this.#device.gpu.createBuffer({
      size: bytes,
      usage: BUFFER_USAGE.QUERY_RESOLVE | BUFFER_USAGE.COPY_SRC,
    });
    const encoder = this.#device.gpu.createCommandEncoder();
    encoder.resolveQuerySet(this.#queries, 0, count, resolved, 0);
    this.#device.submit([encoder.finish()]);
    const times = new BigUint64Array(await readBuffer(this.#device, resolved, bytes));
    resolved.destroy();
    const first = times[0] ?? 0n;
    const at = (k: number): number => Number((times[k] ?? 0n) - first) / 1e6;
    const timings = this.#dispatches.map((dispatch, i) => ({
      ...dispatch,
      start: at(2 * i),
      milliseconds: at(2 * i + 1) - at(2 * i),
    }));
    this.#dispatches.length = 0;
    return timings;
  }

  destroy(): void {
    this.#queries.destroy();
  }
}
