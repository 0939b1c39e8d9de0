import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { totalmem, tmpdir } from "node:os";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { isMainThread } from "node:worker_threads";
import { DeviceError } from "../base/errors.ts";
import {
  ADAPTER_CHOICES,
  type AdapterChoice,
  adapterLabel,
  isSoftware,
  type OpenedAdapter,
  requestOptions,
} from "./adapter.ts";
import { setVariable } from "./native-process.node.ts";
import { isBundledDriver, unpackSwiftShader, useBundledDriver } from "./swiftshader.node.ts";

export { readCached, writeCached } from "./user-cache.node.ts";

// Dawn dies with the process's next device call once the object from `create()` is collected: these are never let go.
const instances = new Map<"system" | "bundled", GPU>();

/** Whether an open promise of a device keeps this thread busy: Dawn's binding asks again and again until it is settled. */
export const WAITING_POLLS = true;

/** What gives a machine an adapter. */
export const INSTALL_HINT =
  "install a Vulkan driver (Debian, Ubuntu: `apt install libvulkan1 mesa-vulkan-drivers`, Mesa 24 or newer; or your GPU vendor's driver)";

/**
 * A WebGPU adapter of Dawn in Node, Bun and Deno, with nothing installed by the user: the system's GPU; else a system software adapter with f16
 * (lavapipe of Mesa 24 or newer); else SwiftShader out of `@sparticuz/chromium`. A `VK_DRIVER_FILES` set by the user is
 * used and nothing else. The environment variable `OMNI_ADAPTER` stands in for a choice of "auto".
 *
 * @throws DeviceError (unavailable) that says what to install
 */
export async function openAdapter(choice: AdapterChoice): Promise<OpenedAdapter> {
  const wanted = choice === "auto" ? choiceFromEnvironment() : choice;
  const userDriver = process.env["VK_DRIVER_FILES"] ?? process.env["VK_ICD_FILENAMES"];
  if (userDriver && !isBundledDriver(userDriver)) {
    const found = await systemAdapter(wanted);
    if (found) return found;
    throw new DeviceError(
      "unavailable",
      `getDevice: VK_DRIVER_FILES=${userDriver} gives no WebGPU adapter; unset it or name another driver`,
    );
  }
  const bundlePossible = process.platform === "linux" && process.arch === "x64" && wanted !== "system";
  if (!bundlePossible) {
    if (userDriver) clearBundledDriver();
    const found = await systemAdapter(wanted);
    if (found) return found;
    throw new DeviceError(
      "unavailable",
      `getDevice: no WebGPU adapter on this machine (${process.platform}-${process.arch}); ${INSTALL_HINT}`,
    );
  }
  // A parent process that fell back to the bundled driver has answered the question for its children.
  if (!userDriver && (await systemIsUsable(wanted))) {
    const found = await systemAdapter(wanted);
    if (found) return found;
  }
  return bundledAdapter();
}

/** Bytes of memory a software adapter may count on: the machine's, or the container's limit where that is lower. */
export function hostMemory(): number {
  const limit = process.constrainedMemory();
  const total = totalmem();
  return limit > 0 && limit < total ? limit : total;
}

function choiceFromEnvironment(): AdapterChoice {
  const value = process.env["OMNI_ADAPTER"];
  if (value === undefined || value === "") return "auto";
  const known = ADAPTER_CHOICES.find((candidate) => candidate === value);
  if (known) return known;
  throw new DeviceError("unavailable", `OMNI_ADAPTER must be one of ${ADAPTER_CHOICES.join(", ")}, got "${value}"`);
}

function clearBundledDriver(): void {
  setVariable("VK_DRIVER_FILES", undefined);
  setVariable("VK_ICD_FILENAMES", undefined);
}

async function instance(kind: "system" | "bundled"): Promise<GPU> {
  const held = instances.get(kind);
  if (held) return held;
  let create: (options: string[]) => GPU;
  try {
    ({ create } = await import("webgpu"));
  } catch (cause) {
    throw new DeviceError(
      "unavailable",
      `getDevice: the webgpu package must load on ${process.platform}-${process.arch}, got: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
  const made = create([]);
  instances.set(kind, made);
  return made;
}

async function systemAdapter(choice: AdapterChoice): Promise<OpenedAdapter | null> {
  const gpu = await instance("system");
  const adapter = await withRuntimeDir(() => gpu.requestAdapter(requestOptions(choice)));
  return adapter && { adapter, description: adapterLabel(adapter.info) };
}

async function bundledAdapter(): Promise<OpenedAdapter> {
  if (!isMainThread && !isBundledDriver(process.env["VK_DRIVER_FILES"])) {
    // A worker's process.env is a copy which native code does not see.
    throw new DeviceError("unavailable", "getDevice: open the device in the main thread once before workers do");
  }
  if (isMainThread) useBundledDriver(await unpackSwiftShader());
  const gpu = await instance("bundled");
  const adapter = await gpu.requestAdapter();
  if (!adapter)
    throw new DeviceError("unavailable", `getDevice: the bundled SwiftShader does not start here; ${INSTALL_HINT}`);
  return { adapter, description: `${adapterLabel(adapter.info)} (bundled)` };
}

/**
 * Looks at the system's drivers in a process of its own: unsuitable ones print warnings past `process.stderr` and the worst
 * of them crash.
 */
async function systemIsUsable(choice: AdapterChoice): Promise<boolean> {
  const script = (webgpu: string): string => `
    const { create } = await import(${JSON.stringify(webgpu)});
    globalThis.gpu = create([]);
    const adapter = await gpu.requestAdapter(${JSON.stringify(requestOptions(choice))});
    const info = adapter?.info;
    const answer = adapter && { f16: adapter.features.has("shader-f16"), info: {
      vendor: info.vendor, architecture: info.architecture, device: info.device,
      description: info.description, isFallbackAdapter: info.isFallbackAdapter } };
    console.log(JSON.stringify(answer));`;
  try {
    const run = promisify(execFile);
    const webgpu = pathToFileURL(createRequire(import.meta.url).resolve("webgpu")).href;
    const { stdout } = await run(process.execPath, [...evaluate(), script(webgpu)], {
      timeout: 30_000,
      env: { ...process.env, NODE_OPTIONS: "", NODE_V8_COVERAGE: "" },
    });
    const answer = JSON.parse(stdout) as { f16: boolean; info: GPUAdapterInfo } | null;
    return answer !== null && (!isSoftware(answer.info) || answer.f16);
  } catch {
    return false;
  }
}

/** What goes before a module's text on this runtime's command line. */
function evaluate(): string[] {
  if (process.versions["deno"] !== undefined) return ["eval", "--no-lock"];
  return process.versions["bun"] === undefined ? ["--input-type=module", "-e"] : ["-e"];
}

/** Mesa complains on stderr where XDG_RUNTIME_DIR is missing, though it needs it for windows only. */
async function withRuntimeDir<T>(run: () => Promise<T>): Promise<T> {
  if (process.platform !== "linux" || process.env["XDG_RUNTIME_DIR"] !== undefined) return run();
  setVariable("XDG_RUNTIME_DIR", tmpdir());
  try {
    return await run();
  } finally {
    setVariable("XDG_RUNTIME_DIR", undefined);
  }
}

/** A variable of the environment; undefined where there is none, or where it may not be read. */
export const variable = (name: string): string | undefined => process.env[name];
