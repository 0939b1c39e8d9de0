import { DeviceError } from "../base/errors.ts";
import { MAP_MODE_READ } from "./buffer-usage.ts";
import type { Device } from "./device.ts";

// Larger reads go window by window, so that a read never doubles the memory of a large tensor.
const WINDOW = 32 * 2 ** 20;

/**
 * Copies bytes of a device buffer to the host, after all work submitted so far.
 *
 * @param bytes any count; `offset` is a multiple of 4
 * @throws DeviceError when the device is lost or the work before it went wrong
 */
export async function readBuffer(device: Device, buffer: GPUBuffer, bytes: number, offset = 0): Promise<ArrayBuffer> {
  if (offset % 4 !== 0 || offset + bytes > buffer.size) {
    throw new DeviceError(
      "validation",
      `readBuffer: ${bytes} bytes at ${offset} do not lie in a buffer of ${buffer.size}`,
    );
  }
  device.check();
  if (bytes <= WINDOW) return readWindow(device, buffer, bytes, offset);
  const result = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += WINDOW) {
    result.set(new Uint8Array(await readWindow(device, buffer, Math.min(WINDOW, bytes - at), offset + at)), at);
  }
  return result.buffer;
}

function readWindow(device: Device, buffer: GPUBuffer, bytes: number, offset: number): Promise<ArrayBuffer> {
  const copy = copyOut(device, [{ buffer, bytes, offset }]);
  submitCopy(device, copy);
  return copy.read().then(([values = new ArrayBuffer(0)]) => values);
}

/** Copies of buffers on their way to the host. */
export interface CopyOut {
  /** Puts the copies behind what the encoder holds; it must be submitted before they are read. */
  encode(encoder: GPUCommandEncoder): void;
  /** Brings them to the host; waits for nothing that was submitted later. Call it once. */
  read(): Promise<ArrayBuffer[]>;
}

/** Sends copies by themselves. */
function submitCopy(device: Device, copy: CopyOut): void {
  const encoder = device.gpu.createCommandEncoder({ label: "readback" });
  copy.encode(encoder);
  device.submit([encoder.finish()]);
}

/** Copies bytes of several buffers. */
export function copyOut(
  device: Device,
  ranges: readonly { readonly buffer: GPUBuffer; readonly bytes: number; readonly offset?: number }[],
): CopyOut {
  const whole = (bytes: number): number => Math.ceil(bytes / 4) * 4;
  const total = ranges.reduce((sum, { bytes }) => sum + whole(bytes), 0);
  let staging: GPUBuffer | null = null;
  const starts: number[] = [];
  return {
    encode: (encoder) => {
      if (total === 0) return;
      staging = device.staging.acquire(total);
      let end = 0;
      for (const { buffer, bytes, offset = 0 } of ranges) {
        starts.push(end);
        if (bytes > 0) encoder.copyBufferToBuffer(buffer, offset, staging, end, whole(bytes));
        end += whole(bytes);
      }
    },
    read: async () => {
      if (staging === null) return ranges.map(() => new ArrayBuffer(0));
      try {
        await device.guard(staging.mapAsync(MAP_MODE_READ, 0, total));
      } catch (error) {
        staging.destroy();
        throw error;
      }
      const mapped = staging.getMappedRange(0, total);
      const copies = ranges.map(({ bytes }, i) => mapped.slice(starts[i], (starts[i] ?? 0) + bytes));
      staging.unmap();
      device.staging.release(staging);
      return copies;
    },
  };
}
