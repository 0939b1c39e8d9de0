import { create, globals } from "webgpu";

// Dawn dies once the object from `create()` is collected
let held: GPU | null = null;

/** WebGPU as browsers have it, for the peers: the globals, and `navigator.gpu`. Opens the driver that the environment names. */
export function provideNavigatorGpu(): void {
  held = create([]);
  Object.assign(globalThis, globals);
  // Node 20 has no navigator; what peers read of others' are accessors
  const own: Partial<Navigator> = globalThis.navigator ?? {};
  const { userAgent = "node", hardwareConcurrency = 1 } = own;
  Object.defineProperty(globalThis, "navigator", {
    configurable: true,
    value: { userAgent, hardwareConcurrency, gpu: held },
  });
}
