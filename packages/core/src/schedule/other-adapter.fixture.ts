import { getDevice } from "../runtime/index.ts";
import { planCacheOf } from "./realize.ts";

/** Runs something with the kernels of the other kind of adapter: a GPU's where this is a software adapter. */
export async function onOtherKind<T>(run: () => Promise<T>): Promise<T> {
  const device = await getDevice();
  const traits = device.traits as { software: boolean };
  const { software } = traits;
  const cache = planCacheOf(device);
  cache.clear();
  traits.software = !software;
  try {
    return await run();
  } finally {
    traits.software = software;
    cache.clear();
  }
}
