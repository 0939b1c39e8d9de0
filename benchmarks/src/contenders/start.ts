import type { Device } from "@omni/core";
import type { ContenderId, Started } from "./contender.ts";
import { startJax } from "./jax/index.ts";
import { startOrt } from "./ort/index.ts";
import { startForward, startOurs } from "./ours/index.ts";
import type { PeerModules } from "./peer-modules.ts";
import type { RawGpu } from "./raw/raw-gpu.ts";
import { startRaw } from "./raw/index.ts";
import { startTfjs } from "./tfjs/index.ts";

/** What starts each contender. */
export function starters(
  device: Device,
  raw: RawGpu,
  modules: PeerModules,
): Readonly<Record<ContenderId, () => Promise<Started>>> {
  return {
    ours: () => Promise.resolve(startOurs(device)),
    forward: () => Promise.resolve(startForward(device)),
    before: () => modules.startEarlier(),
    raw: () => Promise.resolve(startRaw(raw)),
    tfjs: () => startTfjs(modules, "webgpu"),
    jax: () => startJax(modules),
    ort: () => startOrt(modules, "webgpu"),
    "tfjs-wasm": () => startTfjs(modules, "wasm"),
    "ort-cpu": () => startOrt(modules, "cpu"),
  };
}
