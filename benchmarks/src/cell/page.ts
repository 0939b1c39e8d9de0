/** The page of one cell, in a browser. */
import { closeDevice, getDevice } from "@omni/core";
import { type PeerModules, WASM_FILES } from "../contenders/peer-modules.ts";
import type { CellEvent, CellRequest } from "./events.ts";
import { provideIteratorHelpers } from "./iterator-helpers.ts";
import { runCell } from "./run-cell.ts";

declare global {
  interface Window {
    /** Given by the program that opened the page. */
    tellBench: (event: CellEvent) => Promise<void>;
    runBench: (request: CellRequest, versions: PeerModules["versions"]) => Promise<void>;
  }
}

window.runBench = async (request, versions) => {
  const told: Promise<void>[] = [];
  const tell = (event: CellEvent): void => {
    told.push(window.tellBench(event));
  };
  const device = await getDevice();
  const [, runtimeVersion = ""] = /Chrome\/([\d.]+)/.exec(navigator.userAgent) ?? [];
  tell({ type: "adapter", name: device.adapterName, software: device.traits.software, runtimeVersion });
  if (request !== "probe") {
    provideIteratorHelpers();
    const modules: PeerModules = {
      load: (name) => import(new URL(`/peers/${name}.mjs`, location.href).href),
      loadNative: () => Promise.reject(new Error("onnxruntime-node is native code, which no browser loads")),
      startEarlier: () => Promise.reject(new Error("an earlier commit runs from its sources, which no page has")),
      wasm: Object.fromEntries(WASM_FILES.map((name) => [name, `/wasm/${name}`])),
      versions,
    };
    await runCell(request, { device, modules }, tell);
  }
  await Promise.all(told);
  await closeDevice();
};
