export type { AdapterChoice } from "./adapter.ts";
export { BUFFER_USAGE } from "./buffer-usage.ts";
export { BufferPool } from "./buffer-pool.ts";
export { closeDevice, type Device, type DeviceOptions, getDevice } from "./device.ts";
export { type Access, type Pipeline, PipelineCache, shaderMessages } from "./pipeline-cache.ts";
export { readBuffer } from "./readback.ts";
