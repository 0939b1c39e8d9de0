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

async function readWindow(device: Device, buffer: GPUBuffer, bytes: number, offset: number): Promise<ArrayBuffer> {
  if (bytes === 0) return new ArrayBuffer(0);
  const whole = Math.ceil(bytes / 4) * 4;
  const staging = device.staging.acquire(whole);
  const encoder = device.gpu.createCommandEncoder({ label: "readback" });
  encoder.copyBufferToBuffer(buffer, offset, staging, 0, whole);
  device.submit([encoder.finish()]);
  try {
    await device.guard(staging.mapAsync(MAP_MODE_READ, 0, whole));
  } catch (error) {
    staging.destroy();
    throw error;
  }
  const copy = staging.getMappedRange(0, whole).slice(0, bytes);
  staging.unmap();
  device.staging.release(staging);
  return copy;
}
