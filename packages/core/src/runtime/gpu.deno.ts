import { DeviceError } from "../base/errors.ts";
import { type AdapterChoice, adapterLabel, type OpenedAdapter, requestOptions } from "./adapter.ts";
import { hostMemory as browserMemory } from "./gpu.browser.ts";
import {
  hostMemory as nodeMemory,
  INSTALL_HINT,
  openAdapter as openDawn,
  readCached as readFolder,
  variable as nodeVariable,
  writeCached as writeFolder,
} from "./gpu.node.ts";

export { WAITING_POLLS } from "./gpu.node.ts";

/** What Dawn takes: an addon, a driver that may have to be unpacked, variables that name it, and a process that tries it out. */
const NEEDED_FOR_DAWN = ["env", "ffi", "read", "run", "sys", "write"] as const;

/** The part of Deno that is used here; its types are not installed. */
interface Deno {
  readonly permissions: { querySync(permission: { readonly name: string }): { readonly state: string } };
}

/**
 * Dawn, as in Node, where the program may load it (`deno run -A`). Else Deno's own WebGPU, wgpu, which needs no permission: it
 * computes the same, but has no subgroups, and a result takes about a hundred milliseconds to arrive.
 *
 * @throws DeviceError (unavailable) that says what to allow or to install
 */
export function openAdapter(choice: AdapterChoice): Promise<OpenedAdapter> {
  return NEEDED_FOR_DAWN.every(isGranted) ? openDawn(choice) : openWgpu(choice);
}

/** Bytes of memory a software adapter may count on; 4 GiB where Deno may not tell. */
export function hostMemory(): number {
  return isGranted("sys") ? nodeMemory() : browserMemory();
}

/** A variable of the environment; undefined where there is none, or where it may not be read. */
export const variable = (name: string): string | undefined => (isGranted("env") ? nodeVariable(name) : undefined);

/** A file of the user's cache; null where it is missing or may not be read. */
export const readCached = (name: string): Promise<string | null> =>
  NEEDED_FOR_DAWN.every(isGranted) ? readFolder(name) : Promise.resolve(null);

/** @throws where Deno may not write it */
export const writeCached = (name: string, text: string): Promise<void> =>
  NEEDED_FOR_DAWN.every(isGranted)
    ? writeFolder(name, text)
    : Promise.reject(new Error("Deno may not read and write files: allow it with -A"));

function isGranted(name: string): boolean {
  // a global that only Deno has
  const { permissions } = (globalThis as unknown as { readonly Deno: Deno }).Deno;
  return permissions.querySync({ name }).state === "granted";
}

async function openWgpu(choice: AdapterChoice): Promise<OpenedAdapter> {
  const adapter = await (globalThis.navigator.gpu as GPU | undefined)?.requestAdapter(requestOptions(choice));
  if (adapter) return { adapter, description: `${adapterLabel(adapter.info)} (Deno's wgpu)` };
  const missing = NEEDED_FOR_DAWN.filter((name) => !isGranted(name)).map((name) => `--allow-${name}`);
  throw new DeviceError(
    "unavailable",
    `getDevice: Deno's own WebGPU finds no adapter for "${choice}"; allow Dawn and its drivers (-A, or ${missing.join(" ")}), or ${INSTALL_HINT}`,
  );
}
