import { DeviceError } from "../base/errors.ts";
import { type AdapterChoice, adapterLabel, type OpenedAdapter, requestOptions } from "./adapter.ts";

export { readCached, writeCached } from "./user-cache.browser.ts";

/**
 * The page's or worker's own WebGPU.
 *
 * @throws DeviceError (unavailable) where the browser has none
 */
export async function openAdapter(choice: AdapterChoice): Promise<OpenedAdapter> {
  const gpu = (globalThis.navigator as Navigator | undefined)?.gpu as GPU | undefined;
  if (!gpu) {
    const why =
      globalThis.isSecureContext === false
        ? "this page is not a secure context (https or localhost)"
        : "this browser has no WebGPU";
    throw new DeviceError("unavailable", `getDevice: ${why}`);
  }
  const adapter = await gpu.requestAdapter(requestOptions(choice));
  if (!adapter) {
    throw new DeviceError(
      "unavailable",
      `getDevice: navigator.gpu offers no adapter for "${choice}"; see chrome://gpu`,
    );
  }
  return { adapter, description: adapterLabel(adapter.info) };
}

/** Whether an open promise of a device keeps this thread busy. */
export const WAITING_POLLS = false;

/** Bytes of memory a software adapter may count on; browsers round it and cap it at 8 GiB. */
export function hostMemory(): number {
  const navigator: { readonly deviceMemory?: number; readonly userAgent: string } = globalThis.navigator;
  return (navigator.deviceMemory ?? 4) * 2 ** 30;
}

/** A variable of the environment; undefined where there is none, or where it may not be read. */
export const variable = (_name: string): string | undefined => undefined;
