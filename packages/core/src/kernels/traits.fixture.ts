import type { DeviceTraits } from "./kernel.ts";

/** Traits of a plain software adapter, for plans that are made on the host alone. */
export const SOFTWARE_TRAITS: DeviceTraits = {
  software: true,
  subgroups: false,
  subgroupMinSize: 1,
  subgroupMaxSize: 1,
  f16: false,
  maxWorkgroupSize: 256,
  maxWorkgroupStorage: 16384,
  maxStorageBinding: 2 ** 27,
  maxStorageBuffers: 8,
};
