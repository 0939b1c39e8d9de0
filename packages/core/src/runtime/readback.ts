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

const readWindow = (device: Device, buffer: GPUBuffer, bytes: number, offset: number): Promise<ArrayBuffer> =>
  copyOut(device, [{ buffer, bytes, offset }])().then(([copy = new ArrayBuffer(0)]) => copy);

/**
 * Copies bytes of several buffers as they are after the work submitted so far. The function returned brings them to the host; it
 * waits for nothing that was submitted later. Call it once.
 */
export function copyOut(
  device: Device,
  ranges: readonly { readonly buffer: GPUBuffer; readonly bytes: number; readonly offset?: number }[],
): () => Promise<ArrayBuffer[]> {
  const whole = (bytes: number): number => Math.ceil(bytes / 4) * 4;
  const total = ranges.reduce((sum, { bytes }) => sum + whole(bytes), 0);
  if (total === 0) return () => Promise.resolve(ranges.map(() => new ArrayBuffer(0)));
  const staging = device.staging.acquire(total);
  const encoder = device.gpu.createCommandEncoder({ label: "readback" });
  let end = 0;
  const starts = ranges.map(({ buffer, bytes, offset = 0 }) => {
    const start = end;
    end += whole(bytes);
    if (bytes > 0) encoder.copyBufferToBuffer(buffer, offset, staging, start, whole(bytes));
    return start;
  });
  device.submit([encoder.finish()]);
  return async () => {
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
  };
}
